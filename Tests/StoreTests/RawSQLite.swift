import Foundation
import GRDB

/// The file as any other program would open it, to see and do what the store does not offer.
struct RawSQLite {
    private let queue: DatabaseQueue

    init(file: URL) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.allowsUnsafeTransactions = true
        self.queue = try DatabaseQueue(path: file.path, configuration: configuration)
    }

    func texts(_ sql: String) throws -> [String] {
        try self.queue.unsafeRead { try String.fetchAll($0, sql: sql) }
    }

    func execute(_ sql: String) throws {
        try self.queue.unsafeReentrantWrite { try $0.execute(sql: sql) }
    }
}

/// Runs `body`, which blocks, on a thread of its own.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Swift.Result { try body() }) }.start()
    }
}
