import Domain
import Foundation
import TestSupport

/// One run: starts everything, lets load and faults loose, waits until it is quiet, and judges.
struct ChaosRun: Sendable {
    private static let startMax = Duration.seconds(40)
    /// How long after the last fault the server may take to end every job.
    private static let settleMax = Duration.seconds(90)

    let plan: ChaosPlan
    let programs: URL?
    let home: URL

    func run() async throws -> ChaosReport {
        let rig = try await ChaosRig(plan: self.plan, home: self.home, programs: self.programs)
        do {
            let report = try await self.run(on: rig)
            await rig.stop()
            return report
        } catch {
            await rig.stop()
            throw error
        }
    }

    private func run(on rig: ChaosRig) async throws -> ChaosReport {
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Ends when everything else here has.
            group.addTask { try await rig.supervise() }
            defer { group.cancelAll() }
            try await rig.waitUntilUp(within: Self.startMax)
            Log.say("all processes are up")
            let keeper = LogKeeper()
            let ledger = try ObservedLedger(file: rig.databaseFile)
            group.addTask { try await keeper.run(ledger, redisURL: rig.redis.url) }
            return try await self.strain(rig, keeper)
        }
    }

    private func strain(_ rig: ChaosRig, _ keeper: LogKeeper) async throws -> ChaosReport {
        let began = ContinuousClock.now
        let journal = ClientJournal()
        let deadline = began + .milliseconds(self.plan.shape.milliseconds) + Self.settleMax
        let load = ChatLoad(plan: self.plan, rig: rig, journal: journal, begin: began, deadline: deadline)
        let collector = RecordCollector(rig: rig, journal: journal, keeper: keeper)
        async let clients: Void = load.run()
        try await FaultInjector(rig: rig, journal: journal).run(self.plan.faults, since: began)
        try await Task.sleep(until: began + .milliseconds(self.plan.shape.milliseconds), clock: .continuous)
        Log.say("no more faults; \(journal.accepted.count) messages accepted, \(journal.ended) ends seen")
        try await rig.waitUntilUp(within: Self.startMax)
        let isSettled = try await collector.settle(within: Self.settleMax)
        Log.say(isSettled ? "every job has ended" : "not every job has ended in \(Self.settleMax)")
        await clients
        await collector.followLate(deadline: .now + .seconds(60))
        let record = try await collector.record()
        Log.say("\(journal.ended) ends seen; judging")
        return ChaosReport(
            plan: self.plan,
            record: record,
            refusals: journal.refusals,
            surprises: await rig.surprises,
            seconds: Int(began.duration(to: .now).components.seconds)
        )
    }
}
