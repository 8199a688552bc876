import Domain
import TestSupport
import Testing

/// The checker finds what is wrong, says under which guarantee, and finds nothing where nothing is.
@Suite(.timeLimit(.minutes(1)))
struct InvariantCheckerTests {
    @Test func `a run without a fault breaks nothing and everything was looked at`() {
        let report = InvariantChecker.check(SoundRun.record)
        for result in report.results {
            #expect(result.violations == 0, "\(result.guarantee): \(result.examples)")
            #expect(result.checks > 0, "\(result.guarantee) was not looked at")
        }
    }

    /// One thing that goes wrong, and the guarantee that it breaks.
    struct Wrong: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let guarantee: Guarantee
        let change: @Sendable (inout RunRecord) -> Void

        init(_ description: String, _ guarantee: Guarantee, _ change: @escaping @Sendable (inout RunRecord) -> Void) {
            self.testDescription = description
            self.guarantee = guarantee
            self.change = change
        }
    }

    static let wrongs: [Wrong] = [
        Wrong("an accepted message is not in the ledger", .accepted) { $0.jobs.removeFirst() },
        Wrong("an accepted message never ends", .accepted) { $0.jobs[0].state = "running" },
        Wrong("a job is in another conversation", .accepted) {
            $0.jobs[0].conversation = ConversationKey(tenant: "boris", conversation: "c")
        },
        Wrong("a message is two jobs", .accepted) { $0.jobs[2].text = $0.jobs[1].text },
        Wrong("a job that nobody sent", .accepted) {
            $0.jobs[2].text = "who said that?"
            $0.accepted.remove(at: 2)
        },
        Wrong("a message is lost with Redis", .redisLoss) { $0.jobs.removeAll { $0.id == SoundRun.second } },
        Wrong("an answer is cut short with Redis", .redisLoss) {
            $0.accepted[1].answer += " and more"
        },
        Wrong("a completed job has a failure", .oneEnd) { $0.jobs[0].failure = .object([:]) },
        Wrong("an end that nobody announced", .oneEnd) { $0.jobs[0].isAnnounced = false },
        Wrong("a log without an end", .oneEnd) { $0.logs[SoundRun.first]?.removeLast() },
        Wrong("a log with two ends", .oneEnd) { record in
            let last = record.logs[SoundRun.first]?.last
            if let last { record.logs[SoundRun.first]?.append(ObservedEvent(id: last.id.next, type: .error)) }
        },
        Wrong("a log that goes on after the end", .oneEnd) {
            $0.logs[SoundRun.first]?.append(ObservedEvent(id: EventID(epoch: 100, sequence: 9), type: .token))
        },
        Wrong("a log that ends otherwise than the ledger", .oneEnd) { record in
            let last = record.logs[SoundRun.first]?.popLast()
            if let last { record.logs[SoundRun.first]?.append(ObservedEvent(id: last.id, type: .cancelled)) }
        },
        Wrong("a follower who saw another end", .oneEnd) {
            $0.followers.append(SoundRun.follower(of: SoundRun.first, saying: "one", end: .error))
        },
        Wrong("a follower who saw another result", .oneEnd) {
            $0.followers.append(SoundRun.follower(of: SoundRun.first, saying: "two"))
        },
        Wrong("a dead letter that lost no worker", .oneEnd) {
            $0.jobs[0].state = "dead"
            $0.jobs[0].result = nil
            $0.jobs[0].failure = .object([:])
        },
        Wrong("two jobs of a lane at once", .order) {
            $0.jobs[1].startedAt = Timestamp(milliseconds: 1150)
        },
        Wrong("the second before the first", .order) {
            $0.conversations[SoundRun.key]?.swapAt(0, 2)
            $0.conversations[SoundRun.key]?.swapAt(1, 3)
        },
        Wrong("run in another order", .order) { record in
            let first = (record.jobs[0].startedAt, record.jobs[0].finishedAt)
            (record.jobs[0].startedAt, record.jobs[0].finishedAt) = (
                record.jobs[1].startedAt, record.jobs[1].finishedAt
            )
            (record.jobs[1].startedAt, record.jobs[1].finishedAt) = first
        },
        Wrong("a message twice", .order) { record in
            record.conversations[SoundRun.key]?.append(ObservedMessage(id: "u9", role: "user", text: "first"))
        },
        Wrong("an answer to somebody else", .order) { $0.conversations[SoundRun.key]?.swapAt(1, 3) },
        Wrong("no answer", .order) { $0.conversations[SoundRun.key]?.remove(at: 3) },
        Wrong("a cancelled message that was never claimed speaks", .order) {
            $0.conversations[SoundRun.key]?.append(ObservedMessage(id: "u3", role: "user", text: "third"))
        },
        Wrong("the model did not see the last answer", .order) { $0.tallies["second"]?.before.removeLast() },
        Wrong("an old epoch writes after a new one", .fenced) {
            $0.logs[SoundRun.first]?.append(ObservedEvent(id: EventID(epoch: 99, sequence: 5), type: .token))
        },
        Wrong("the end is written under another epoch than the ledger's", .fenced) { $0.jobs[0].epoch = 101 },
        Wrong("an event from a lease that the ledger does not know", .fenced) { $0.jobs[0].epoch = 99 },
        Wrong("a step under a later epoch than the job's", .fenced) { $0.steps[0].epoch = 102 },
        Wrong("a follower who sees an event twice", .fenced) {
            $0.followers[0].transcript.take(.token, id: .start, data: .null)
        },
        Wrong("a follower who never sees the end", .sameText) {
            $0.followers.append(ObservedFollower(name: "x", transcript: ChatTranscript(SoundRun.first)))
        },
        Wrong("a follower with a hole in the text", .sameText) {
            $0.followers.append(SoundRun.follower(of: SoundRun.first, saying: "on", response: "one"))
        },
        Wrong("another answer than the model's", .sameText) { $0.accepted[0].answer = "one!" },
        Wrong("a turn is journaled twice", .notAgain) { $0.steps.append($0.steps[0]) },
        Wrong("the model is asked again without need", .notAgain) { $0.tallies["first"]?.requests = 2 },
        Wrong("the model answers twice", .notAgain) { $0.tallies["first"]?.answers = 2 },
        Wrong("a journaled turn is asked again by the next attempt", .notAgain) {
            $0.jobs[0].claims = 2
            $0.steps[0].epoch = 90
            $0.tallies["first"]?.answers = 2
        },
        Wrong("the model is asked for a job that was never claimed", .notAgain) {
            $0.tallies["third"] = SoundRun.tally(before: [])
        },
        Wrong("a cancelled job has another end", .cancelFinal) { record in
            record.jobs[2].state = "completed"
        },
        Wrong("a job ends after the answer that says so", .cancelFinal) {
            $0.jobs[2].finishedAt = Timestamp(milliseconds: 9000)
        },
        Wrong("an event after a cancel", .cancelFinal) {
            $0.logs[SoundRun.third]?.append(ObservedEvent(id: EventID(epoch: 300, sequence: 1), type: .token))
        },
        Wrong("a cancel that is not obeyed", .cancelFinal) { record in
            record.cancels[0].status = 202
            record.jobs[2].finishedAt = Timestamp(milliseconds: 100_000)
        },
        Wrong("an attempt that no lost lease explains", .restartFree) { $0.jobs[0].attempt = 2 },
        Wrong("a lease lost for nothing", .restartFree) { $0.jobs[0].lost = 1 },
        Wrong("a process that grows", .bounded) { $0.memory[0].residentBytes = 1 << 31 },
    ]

    @Test(arguments: Self.wrongs)
    func `whatever goes wrong is found`(_ wrong: Wrong) {
        var record = SoundRun.record
        wrong.change(&record)
        let report = InvariantChecker.check(record)
        #expect(report[wrong.guarantee].violations > 0)
        #expect(!report[wrong.guarantee].examples.isEmpty)
    }

    @Test func `what docs allow for is allowed only where Redis was away at the end`() {
        var record = SoundRun.record
        record.followers.append(SoundRun.follower(of: SoundRun.second, saying: "tw", response: "two"))
        let report = InvariantChecker.check(record)
        #expect(report[.sameText].violations == 0)
        #expect(report[.sameText].allowances == 1)
        record.faults = []
        #expect(InvariantChecker.check(record)[.sameText].violations == 1)
    }

    @Test func `a lease lost with its worker is no violation`() {
        var record = SoundRun.record
        record.jobs[0].lost = 1
        record.jobs[0].attempt = 2
        record.faults.append(SoundRun.fault(.worker, from: 1000, to: 1100))
        #expect(InvariantChecker.check(record)[.restartFree].violations == 0)
    }

    @Test func `an answer cut on its way from the provider may be asked for again`() {
        var record = SoundRun.record
        record.tallies["first"]?.requests = 2
        record.tallies["first"]?.answers = 2
        record.faults.append(SoundRun.fault(.provider, from: 1000, to: 1100))
        #expect(InvariantChecker.check(record)[.notAgain].violations == 0)
    }

    @Test func `only so many examples are kept, and all are counted`() {
        var record = SoundRun.record
        record.memory = (0..<100).map { MemorySample(process: "\($0)", residentBytes: 1 << 31) }
        let result = InvariantChecker.check(record)[.bounded]
        #expect(result.violations == 100)
        #expect(result.examples.count == 20)
    }
}
