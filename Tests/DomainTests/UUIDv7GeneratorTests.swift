@testable import Domain
import Testing

@Suite(.timeLimit(.minutes(1)))
struct UUIDv7GeneratorTests {
    private static let noon = Timestamp(milliseconds: 1_700_000_000_000)

    @Test
    func `an id has the time, the version and the variant in their places`() throws {
        let id = UUIDv7Generator().next(now: Self.noon)
        #expect(id.utf8.count == 32)
        #expect(id.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) })
        #expect(Int64(id.prefix(12), radix: 16) == Self.noon.milliseconds)
        #expect(id.dropFirst(12).first == "7")
        #expect("89ab".contains(try #require(id.dropFirst(16).first)))
    }

    @Test
    func `ids ascend within a millisecond, far beyond what its counter holds`() {
        let generator = UUIDv7Generator()
        let ids = (0..<20_000).map { _ in generator.next(now: Self.noon) }
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test
    func `ids ascend when the clock steps back, and follow it when it is past them`() {
        let generator = UUIDv7Generator()
        let before = generator.next(now: Self.noon)
        let back = generator.next(now: Self.noon - .seconds(3600))
        let farBack = generator.next(now: Timestamp(milliseconds: -5))
        let later = generator.next(now: Self.noon + .milliseconds(1))
        #expect(before < back && back < farBack && farBack < later)
        #expect(Int64(farBack.prefix(12), radix: 16) == Self.noon.milliseconds)
        #expect(Int64(later.prefix(12), radix: 16) == Self.noon.milliseconds + 1)
    }

    @Test
    func `ids ascend in every task and none is given twice, though tasks and clocks differ`() async {
        let generator = UUIDv7Generator()
        let lists = await withTaskGroup(of: [String].self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<5000).map { generator.next(now: Self.noon + .milliseconds((task * 37 + $0 * 13) % 50)) }
                }
            }
            return await group.reduce(into: [[String]]()) { $0.append($1) }
        }
        for ids in lists { #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 }) }
        #expect(Set(lists.joined().map { $0.prefix(16) }).count == 40_000)
    }

    @Test
    func `new identifiers carry their prefix and are in order`() {
        let ids = (0..<1000).map { _ in JobID() }
        #expect(ids.allSatisfy { $0.rawValue.hasPrefix("job_") && $0.rawValue.utf8.count == 36 })
        #expect(ids == ids.sorted())
        #expect(ConversationID().rawValue.hasPrefix("conv_"))
        #expect(MessageID().rawValue.hasPrefix("msg_"))
        #expect(WorkerID().rawValue.hasPrefix("worker_"))
    }
}
