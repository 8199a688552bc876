import Domain
import Foundation
import TestSupport

/// The clients of a run: one speaker per conversation, who says the next thing when the one before was accepted, and
/// followers of each job.
struct ChatLoad: Sendable {
    /// How often a message is sent before it is given up, each time as another text.
    private static let roundsMax = 5
    private static let answerMax = Duration.seconds(10)

    let plan: ChaosPlan
    let rig: ChaosRig
    let journal: ClientJournal
    let begin: ContinuousClock.Instant
    /// When followers give up.
    let deadline: ContinuousClock.Instant

    /// Returns when every follower has seen the end of its job, or at the deadline.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for messages in Dictionary(grouping: self.plan.messages, by: \.conversation).values {
                group.addTask { await self.speak(messages) }
            }
        }
    }

    private func speak(_ messages: [PlannedMessage]) async {
        await withTaskGroup(of: Void.self) { group in
            for message in messages {
                // Not cut short: there is nobody who cancels but the end of the program.
                try? await Task.sleep(until: self.begin + .milliseconds(message.at), clock: .continuous)
                guard let accepted = await self.submit(message, in: &group) else { continue }
                self.journal.add(accepted)
                self.attend(message, accepted, in: &group)
            }
        }
    }

    /// Sends a message until it is accepted.
    private func submit(_ message: PlannedMessage, in group: inout TaskGroup<Void>) async -> AcceptedMessage? {
        for round in 0..<Self.roundsMax {
            let text = message.text(round: round)
            self.journal.sends(text)
            let web = message.web + round
            let job: JobID?
            switch message.way {
            case .post: job = await self.post(text, message, web: web)
            case .socket: job = await self.say(text, message, web: web, in: &group)
            case .deafSocket:
                self.sayDeaf(text, message, in: &group)
                return nil
            }
            if let job {
                return AcceptedMessage(
                    job: job,
                    conversation: self.key(of: message),
                    text: text,
                    number: message.number * Self.roundsMax + round,
                    acceptedAt: .now,
                    answer: message.answer(round: round),
                    failures: message.failure.times
                )
            }
            await dawdle(for: .milliseconds(300))
        }
        return nil
    }

    private func key(of message: PlannedMessage) -> ConversationKey {
        let tenant = ChaosShape.tenants[message.conversation % ChaosShape.tenants.count]
        return ConversationKey(tenant: tenant, conversation: "conv\(message.conversation)")
    }

    private func http(_ message: PlannedMessage, web: Int) -> HTTPProbe {
        let key = ChaosRig.key(of: self.key(of: message).tenant)
        return HTTPProbe(port: self.rig.port(ofWeb: web), headers: ["x-api-key": key])
    }

    private func watcher(_ name: String, _ message: PlannedMessage, web: Int) -> JobWatcher {
        JobWatcher(
            rig: self.rig,
            tenant: self.key(of: message).tenant,
            deadline: self.deadline,
            name: name,
            web: web
        )
    }

    // MARK: Ways to say it

    private func post(_ text: String, _ message: PlannedMessage, web: Int) async -> JobID? {
        let body = ["text": text, "conversation_id": self.key(of: message).conversation]
        let began = ContinuousClock.now
        do {
            let reply = try await self.http(message, web: web).post(
                "/api/v1/chat/message",
                json: try JSON.text(body),
                headers: ["prefer": "respond-async"],
                within: Self.answerMax
            )
            if reply.status == 202 { return reply.json?["job_id"]?.string.map { JobID(rawValue: $0) } }
            let code = reply.json?["error"]?["code"]?.string ?? "no code"
            self.journal.addRefusal("\(reply.status) \(code)")
        } catch {
            // No answer is no promise.
            let isLate = began.duration(to: .now) >= Self.answerMax
            self.journal.addRefusal(isLate ? "POST, no answer in \(Self.answerMax)" : "POST, connection lost")
        }
        return nil
    }

    private func say(
        _ text: String,
        _ message: PlannedMessage,
        web: Int,
        in group: inout TaskGroup<Void>
    ) async -> JobID? {
        var watcher = self.watcher("its sender", message, web: web)
        watcher.leavesAfter = message.leavesAfter
        let (answers, answer) = AsyncStream.makeStream(of: JobID?.self, bufferingPolicy: .bufferingOldest(1))
        group.addTask { [watcher, conversation = self.key(of: message).conversation] in
            let follower = await watcher.say(text, in: conversation) { answer.yield($0) }
            answer.finish()
            if let follower { self.journal.add(follower) }
        }
        for await job in answers {
            if job == nil { self.journal.addRefusal("socket, no start") }
            return job
        }
        return nil
    }

    /// Says it and reads nothing; whether it was accepted nobody knows.
    private func sayDeaf(_ text: String, _ message: PlannedMessage, in group: inout TaskGroup<Void>) {
        let key = self.key(of: message)
        group.addTask {
            // A connection that breaks is as good as one that is not read.
            try? await withChat(
                port: self.rig.port(ofWeb: message.web),
                headers: ["x-api-key": ChaosRig.key(of: key.tenant)],
                reads: false
            ) { chat in
                try await chat.submit(text, in: key.conversation)
                await dawdle(for: .seconds(15))
            }
        }
    }

    // MARK: What follows

    private func attend(_ message: PlannedMessage, _ accepted: AcceptedMessage, in group: inout TaskGroup<Void>) {
        if message.way == .post {
            var watcher = self.watcher("a follower", message, web: message.web)
            watcher.leavesAfter = message.leavesAfter
            group.addTask { [watcher] in self.journal.add(await watcher.follow(accepted.job)) }
        }
        if message.hasSecondFollower {
            let watcher = self.watcher("a second follower", message, web: message.web + 1)
            group.addTask { self.journal.add(await watcher.follow(accepted.job)) }
        }
        if message.hasStreamFollower {
            let watcher = self.watcher("a stream", message, web: message.web + 1)
            group.addTask { self.journal.add(await watcher.stream(accepted.job)) }
        }
        if let delay = message.cancelAfter {
            group.addTask { await self.cancel(accepted.job, message, after: .milliseconds(delay)) }
        }
    }

    private func cancel(_ job: JobID, _ message: PlannedMessage, after delay: Duration) async {
        await dawdle(for: delay)
        for round in 0..<Self.roundsMax {
            let asked = Timestamp.now
            let reply = try? await self.http(message, web: message.web + round).ask(
                "POST",
                "/api/v1/jobs/\(job)/cancel",
                within: Self.answerMax
            )
            if let reply, reply.status == 200 || reply.status == 202, let state = reply.json?["state"]?.string {
                self.journal.add(
                    AnsweredCancel(job: job, status: reply.status, state: state, askedAt: asked, answeredAt: .now)
                )
                return
            }
            await dawdle(for: .milliseconds(300))
        }
    }
}
