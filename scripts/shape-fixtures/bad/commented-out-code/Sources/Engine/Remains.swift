// import Foundation
struct Remains {
    // let limit = 5
    // var names: [String]
    // private func run(_ count: Int) {
    //     if count > 5 {
    //         return
    //     }
    //     try await self.queue.complete(lease)
    //     queue.release(lease)
    //     self.state = .idle
    // }
    // #expect(a == b)
    /// func shown(in: documentation) {
    let kept = 1  // let unused = 2
}
