package import Domain
package import Foundation
import GRDB

/// The ledger's file as any other program would read it, independent of the room that writes it.
///
/// Columns are read by name, so that one more does no harm.
package struct ObservedLedger: Sendable {
    private let queue: DatabaseQueue

    /// Opens the file, which must exist, for reading.
    package init(file: URL) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        self.queue = try DatabaseQueue(path: file.path, configuration: configuration)
    }

    /// Jobs that have not ended.
    package func openJobs() async throws -> Int {
        try await self.queue.read { database in
            let ends = ObservedJob.endStates.map { "'\($0)'" }.joined(separator: ", ")
            return try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM jobs WHERE state NOT IN (\(ends))") ?? 0
        }
    }

    /// Jobs that have ended and whose end is not announced.
    package func unannouncedJobs() async throws -> Int {
        try await self.queue.read { database in
            let sql = "SELECT COUNT(*) FROM jobs WHERE finished_at IS NOT NULL AND announced = 0"
            return try Int.fetchOne(database, sql: sql) ?? 0
        }
    }

    /// The ids of jobs that have ended and whose end was announced.
    package func announcedJobs() async throws -> [JobID] {
        try await self.queue.read { database in
            let sql = "SELECT id FROM jobs WHERE finished_at IS NOT NULL AND announced = 1"
            return try String.fetchAll(database, sql: sql).map(JobID.init(rawValue:))
        }
    }

    /// All jobs, oldest first.
    package func jobs() async throws -> [ObservedJob] {
        try await self.queue.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM jobs ORDER BY created_at, id").map(ObservedJob.init(row:))
        }
    }

    /// All steps.
    package func steps() async throws -> [ObservedStep] {
        try await self.queue.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM steps ORDER BY job_id, step").map(ObservedStep.init(row:))
        }
    }
}

extension ObservedJob {
    fileprivate init(row: Row) throws {
        let payload: String = row["payload"]
        let text = try JSON.decode(JSONValue.self, from: payload)["text"]?.string
        self.init(
            id: JobID(rawValue: row["id"]),
            conversation: ConversationKey(tenant: row["tenant"], conversation: row["conversation_id"] ?? ""),
            state: row["state"],
            text: text ?? "",
            createdAt: Timestamp(milliseconds: row["created_at"])
        )
        self.attempt = row["attempt"]
        self.claims = row["claims"]
        self.lost = row["lost"]
        self.epoch = row["epoch"]
        self.result = try Self.json(row["result"])
        self.failure = try Self.json(row["failure"])
        self.isAnnounced = row["announced"] == 1
        self.startedAt = Self.time(row["started_at"])
        self.finishedAt = Self.time(row["finished_at"])
        self.cancelRequestedAt = Self.time(row["cancel_requested_at"])
    }

    private static func json(_ text: String?) throws -> JSONValue? {
        try text.map { try JSON.decode(JSONValue.self, from: $0) }
    }

    private static func time(_ milliseconds: Int64?) -> Timestamp? {
        milliseconds.map { Timestamp(milliseconds: $0) }
    }
}

extension ObservedStep {
    fileprivate init(row: Row) {
        self.init(
            job: JobID(rawValue: row["job_id"]),
            index: row["step"],
            kind: row["kind"],
            state: row["state"],
            epoch: row["epoch"]
        )
    }
}
