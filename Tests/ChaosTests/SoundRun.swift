import Domain
import TestSupport

/// A small run in which everything went as it should: two messages answered, a third cancelled before it began.
enum SoundRun {
    static let first = JobID(rawValue: "job_1")
    static let second = JobID(rawValue: "job_2")
    static let third = JobID(rawValue: "job_3")
    static let key = ConversationKey(tenant: "anna", conversation: "c")

    static var record: RunRecord {
        var record = RunRecord()
        record.accepted = [
            self.accepted(self.first, "first", number: 0, answer: "one"),
            self.accepted(self.second, "second", number: 1, answer: "two"),
            self.accepted(self.third, "third", number: 2, answer: "three"),
        ]
        record.jobs = [
            self.completed(self.first, "first", response: "one", epoch: 100, from: 1000, to: 1200),
            // After the fault of Redis has begun.
            self.completed(self.second, "second", response: "two", epoch: 50_200, from: 50_000, to: 51_000),
            self.cancelled(self.third, "third", epoch: 300, at: 1300),
        ]
        record.cancels = [
            AnsweredCancel(
                job: self.third,
                status: 200,
                state: "cancelled",
                askedAt: Timestamp(milliseconds: 1290),
                answeredAt: Timestamp(milliseconds: 1310)
            )
        ]
        record.followers = [
            self.follower(of: self.first, saying: "one"), self.follower(of: self.second, saying: "two"),
            self.follower(of: self.third, saying: "", end: .cancelled),
        ]
        record.steps = [self.step(of: self.first, epoch: 100), self.step(of: self.second, epoch: 50_200)]
        record.logs = [
            self.first: self.log(epoch: 100, [.attempt, .token], end: .complete, data: self.reply("one")),
            self.third: self.log(epoch: 300, [], end: .cancelled, data: .null),
        ]
        record.conversations[self.key] = [
            ObservedMessage(id: "u1", role: "user", text: "first"),
            ObservedMessage(id: "a1", role: "assistant", text: "one", job: self.first.rawValue),
            ObservedMessage(id: "u2", role: "user", text: "second"),
            ObservedMessage(id: "a2", role: "assistant", text: "two", job: self.second.rawValue),
        ]
        record.tallies = [
            "first": self.tally(before: []),
            "second": self.tally(before: [("user", "first"), ("assistant", "one")]),
        ]
        record.memory = [MemorySample(process: "web 0", residentBytes: 50 << 20)]
        record.faults = [self.fault(.redis, from: 50_000, to: 50_500)]
        return record
    }

    static func fault(_ effect: FaultWindow.Effect, from begin: Int64, to end: Int64) -> FaultWindow {
        FaultWindow(
            name: "\(effect)",
            effects: [effect],
            began: Timestamp(milliseconds: begin),
            ended: Timestamp(milliseconds: end)
        )
    }

    static func tally(before: [(role: String, content: String)]) -> FakeProviderTally {
        var tally = FakeProviderTally()
        tally.requests = 1
        tally.answers = 1
        tally.before = before.map { FakeProviderRequest.Message(role: $0.role, content: $0.content) }
        return tally
    }

    /// A follower who heard `text`; its end has another response if that is given.
    static func follower(
        of job: JobID,
        saying text: String,
        response: String? = nil,
        end: EventType = .complete
    ) -> ObservedFollower {
        var transcript = ChatTranscript(job)
        transcript.take(.start, id: .start, data: .null)
        transcript.take(.token, id: EventID(epoch: 100, sequence: 1), data: .object(["token": .string(text)]))
        let data = end == .complete ? self.reply(response ?? text) : .null
        transcript.take(end, id: EventID(epoch: 100, sequence: 2), data: data)
        return ObservedFollower(name: "somebody", transcript: transcript)
    }

    private static func reply(_ text: String) -> JSONValue { .object(["response": .string(text)]) }

    private static func accepted(_ job: JobID, _ text: String, number: Int, answer: String) -> AcceptedMessage {
        AcceptedMessage(
            job: job,
            conversation: self.key,
            text: text,
            number: number,
            acceptedAt: Timestamp(milliseconds: 900),
            answer: answer
        )
    }

    private static func completed(
        _ id: JobID,
        _ text: String,
        response: String,
        epoch: Int64,
        from begin: Int64,
        to end: Int64
    ) -> ObservedJob {
        var job = ObservedJob(
            id: id,
            conversation: self.key,
            state: "completed",
            text: text,
            createdAt: Timestamp(milliseconds: begin - 100)
        )
        job.attempt = 1
        job.claims = 1
        job.epoch = epoch
        job.result = self.reply(response)
        job.startedAt = Timestamp(milliseconds: begin)
        job.finishedAt = Timestamp(milliseconds: end)
        return job
    }

    private static func cancelled(_ id: JobID, _ text: String, epoch: Int64, at time: Int64) -> ObservedJob {
        var job = ObservedJob(
            id: id,
            conversation: self.key,
            state: "cancelled",
            text: text,
            createdAt: Timestamp(milliseconds: time - 100)
        )
        job.epoch = epoch
        job.finishedAt = Timestamp(milliseconds: time)
        return job
    }

    private static func step(of job: JobID, epoch: Int64) -> ObservedStep {
        ObservedStep(job: job, index: 0, kind: "model_turn", state: "done", epoch: epoch)
    }

    private static func log(epoch: Int64, _ types: [EventType], end: EventType, data: JSONValue) -> [ObservedEvent] {
        let rest = types + [end]
        let events = rest.enumerated().map { index, type in
            let id = EventID(epoch: epoch, sequence: Int64(index))
            return ObservedEvent(id: id, type: type, data: type == end ? data : .null)
        }
        return [ObservedEvent(id: .start, type: .start)] + events
    }
}
