import Domain
import Foundation
import TestSupport

/// Reads what a run has left behind, once nothing happens any more.
struct RecordCollector: Sendable {
    /// Questions asked at once.
    private static let concurrency = 8
    private static let historyMax = 1000

    let rig: ChaosRig
    let journal: ClientJournal
    let keeper: LogKeeper

    /// Waits until every job has ended and is announced; false when that is not so in time.
    func settle(within limit: Duration) async throws -> Bool {
        let ledger = try ObservedLedger(file: self.rig.databaseFile)
        do {
            try await eventually(within: limit, "every job has ended") {
                let (open, unannounced) = (try await ledger.openJobs(), try await ledger.unannouncedJobs())
                if open + unannounced > 0 { await dawdle(for: .milliseconds(200)) }
                return open + unannounced == 0
            }
            return true
        } catch is NotInTime {
            return false
        }
    }

    /// Every accepted job once more, from its first event on, by somebody who comes after the end.
    func followLate(deadline: ContinuousClock.Instant) async {
        await self.forEach(self.journal.accepted) { index, message in
            let watcher = JobWatcher(
                rig: self.rig,
                tenant: message.conversation.tenant,
                deadline: deadline,
                name: "a late stream",
                web: index
            )
            self.journal.add(await watcher.stream(message.job))
        }
    }

    func record() async throws -> RunRecord {
        var record = RunRecord()
        self.journal.fill(&record)
        let ledger = try ObservedLedger(file: self.rig.databaseFile)
        record.jobs = try await ledger.jobs()
        record.steps = try await ledger.steps()
        let jobs = record.jobs.map(\.id)
        // A log that is still there is judged as it is now: nothing may have been added to it.
        let left = try await withRedisClient(self.rig.redis.url) { try await ObservedLogs(client: $0).read(jobs) }
        record.logs = self.keeper.logs.merging(left) { $1 }
        record.conversations = try await self.conversations(Set(record.jobs.map(\.conversation)).sorted())
        record.tallies = self.rig.provider.tallies
        record.memory = try await self.rig.memory()
        record.lostMax = ChaosRig.lostMax
        let lease = Int64(self.rig.shape.lease)
        record.aftermathMilliseconds = lease + 6000
        // The grace is as long as the lease; a sleeping machine of two cores takes its time.
        record.cancelMillisecondsMax = lease * 2 + 10_000
        return record
    }

    private func conversations(_ keys: [ConversationKey]) async throws -> [ConversationKey: [ObservedMessage]] {
        let found = SharedList<(ConversationKey, [ObservedMessage])>()
        await self.forEach(keys) { index, key in
            // One that cannot be read is not checked, and shows in the number of checks.
            if let history = try? await self.history(of: key, web: index) { found.append((key, history)) }
        }
        return Dictionary(found.elements) { first, _ in first }
    }

    private func history(of key: ConversationKey, web: Int) async throws -> [ObservedMessage]? {
        let headers = ["x-api-key": ChaosRig.key(of: key.tenant)]
        let http = HTTPProbe(port: self.rig.port(ofWeb: web), headers: headers)
        let path = "/api/v1/conversations/\(key.conversation)/history?limit=\(Self.historyMax)"
        guard case .array(let messages)? = try await http.get(path).json?["messages"] else { return nil }
        return messages.map { message in
            ObservedMessage(
                id: message["id"]?.string ?? "",
                role: message["role"]?.string ?? "",
                text: message["content"]?.string ?? "",
                job: message["metadata"]?["job_id"]?.string
            )
        }
    }

    private func forEach<Element: Sendable>(
        _ elements: [Element],
        _ body: @escaping @Sendable (Int, Element) async -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for (index, element) in elements.enumerated() {
                if index >= Self.concurrency { await group.next() }
                group.addTask { await body(index, element) }
            }
        }
    }
}
