import Domain
import Events
import Queue
import Redis
import Store
import TestSupport

/// What the measurements do with jobs.
extension QueueStand {
    /// Submits one `noop` job, as a route does: durable when this returns.
    func submit() async throws {
        _ = try await self.queue.submit(NewJob(kind: .noop, tenant: .default, payload: "{}")) { _ in }
    }

    /// Submits `count` jobs from so many submitters at once, each waiting for one before the next.
    func submit(_ count: Int, submitters: Int) async throws {
        try await Crowd.run(count, callers: submitters) { try await self.submit() }
    }

    /// Submits one job and follows it to its terminal event, as a route that waits for the answer does.
    func submitAndFollow() async throws -> JobID {
        let accepted = try await self.queue.submit(NewJob(kind: .noop, tenant: .default, payload: "{}")) { id in
            await self.relay.follow(id, after: .start, isNew: true) { .open(start: nil) }
        }
        while let events = await accepted.attachment.follower.next() {
            if events.last?.type.isTerminal == true { break }
        }
        return accepted.jobID
    }

    func submitChat(_ text: String) async throws {
        let payload = ChatPayload(text: text, conversationID: ConversationID())
        let job = NewJob(
            kind: .chat,
            tenant: .default,
            conversationID: payload.conversationID,
            agentID: .default,
            payload: try JSON.text(payload)
        )
        _ = try await self.queue.submit(job) { connection in
            try Conversations(connection).ensure(payload.conversationID, of: .default, title: "T", agent: .default)
        } attach: { _ in
        }
    }

    /// Puts jobs into the ledger, many in a transaction, without anybody being told.
    func preload(_ count: Int) async throws {
        var left = count
        while left > 0 {
            let batch = min(left, 5000)
            try await self.database.write(.relaxed) { connection in
                let ledger = Ledger(connection)
                for _ in 0..<batch {
                    _ = try ledger.submit(NewJob(kind: .noop, tenant: .default, payload: "{}"), hasRoom: false)
                }
            }
            left -= batch
        }
    }

    // MARK: Waiting

    /// Waits until at most `count` jobs are open.
    func waitForOpen(atMost count: Int, within limit: Duration = .seconds(120)) async throws {
        try await eventually(within: limit, "at most \(count) jobs are open") {
            try await self.number(
                "SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE finished_at IS NULL LIMIT $1)",
                count + 1
            )
                <= count
        }
    }

    /// Waits until at least `count` jobs have ended.
    func waitForEnded(atLeast count: Int, within limit: Duration = .seconds(120)) async throws {
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE finished_at IS NOT NULL LIMIT $1)"
        try await eventually(within: limit, "\(count) jobs have ended") { try await self.number(sql, count) >= count }
    }

    /// Waits until so many jobs run that were claimed so often.
    func waitForRunning(_ count: Int, claims: Int = 1, within limit: Duration = .seconds(20)) async throws {
        let sql = "SELECT COUNT(*) FROM jobs WHERE state = 'running' AND claims = $1"
        try await eventually(within: limit, "\(count) jobs run") { try await self.number(sql, claims) == count }
    }

    /// When each running job was claimed last.
    func startTimes() async throws -> [Timestamp] {
        try await self.database.read { connection in
            try connection.rows("SELECT started_at FROM jobs WHERE state = 'running'", []) {
                Timestamp(milliseconds: $0.integer(0) ?? 0)
            }
        }
    }

    private func number(_ sql: String, _ argument: Int) async throws -> Int {
        try await self.database.read { connection in
            try connection.row(sql, [.integer(Int64(argument))]) { Int($0.integer(0) ?? 0) } ?? 0
        }
    }

    /// What Redis holds, in bytes.
    func redisMemory() async throws -> Int {
        let text = try await self.redis.send(RedisCommand("INFO", "memory")).string ?? ""
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("used_memory:") }
        return line.flatMap { Int($0.dropFirst("used_memory:".count)) } ?? 0
    }
}
