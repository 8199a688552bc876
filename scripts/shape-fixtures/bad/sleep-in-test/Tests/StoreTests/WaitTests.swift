import Foundation

func wait() async throws {
    try await Task.sleep(for: .seconds(1))
    try await Task<Never, Never>.sleep(nanoseconds: 5)
    Thread.sleep(forTimeInterval: 1)
    usleep(10)
    try await ContinuousClock().sleep(for: .seconds(1))
}
