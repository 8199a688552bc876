import Domain
import TestSupport

/// A client that follows one job, comes back whenever it loses its connection, and leaves now and then by itself.
struct JobWatcher: Sendable {
    /// How long one connection is waited on before another is tried.
    private static let patience = Duration.seconds(20)
    /// Stays so long after the end, to see whether anything follows.
    private static let afterEnd = Duration.milliseconds(50)

    let rig: ChaosRig
    let tenant: String
    let deadline: ContinuousClock.Instant
    let name: String
    /// The web process to ask first.
    let web: Int
    /// After how many more events it leaves.
    var leavesAfter: [Int] = []

    private var headers: [String: String] { ["x-api-key": ChaosRig.key(of: self.tenant)] }

    /// Follows a job from its first event on.
    func follow(_ job: JobID) async -> ObservedFollower {
        await self.follow(ChatTranscript(job), connections: 0)
    }

    /// Says something on a socket of its own, tells its job by `accepted` (nil when nothing was heard of it), and
    /// follows that; nil when there is none.
    func say(
        _ text: String,
        in conversation: String,
        accepted: @Sendable (JobID?) -> Void
    ) async -> ObservedFollower? {
        var job: JobID?
        var seen: ChatTranscript?
        do {
            seen = try await withChat(port: self.rig.port(ofWeb: self.web), headers: self.headers) { chat in
                let id = try await chat.say(text, in: conversation)
                job = id
                accepted(id)
                return await self.visit(chat, id, leaveAfter: self.leavesAfter.first)
            }
        } catch {
            // The connection was lost, before or after the acceptance.
            if job == nil { accepted(nil) }
        }
        guard let job else { return nil }
        return await self.follow(seen ?? ChatTranscript(job), connections: 1)
    }

    private func follow(_ transcript: ChatTranscript, connections: Int) async -> ObservedFollower {
        var transcript = transcript
        var connections = connections
        while transcript.terminal == nil, ContinuousClock.now < self.deadline, !Task.isCancelled {
            let leave = connections < self.leavesAfter.count ? self.leavesAfter[connections] : nil
            let before = transcript
            do {
                let port = self.rig.port(ofWeb: self.web + connections)
                connections += 1
                transcript = try await withChat(port: port, headers: self.headers) { chat in
                    try await chat.resume(before)
                    return await self.visit(chat, before.jobID, leaveAfter: leave)
                }
            } catch {
                // Nobody there, or gone again: what this connection has shown is forgotten, and asked for again.
                await dawdle(for: .milliseconds(200))
            }
        }
        return ObservedFollower(name: self.name, transcript: transcript, connections: connections)
    }

    /// Watches until the end, until it is time to leave, or until the connection is of no use.
    private func visit(_ chat: ChatProbe, _ job: JobID, leaveAfter: Int?) async -> ChatTranscript {
        let goal = leaveAfter.map { chat.transcript(of: job).events.count + $0 }
        // Not in time is a reason to come back, like all others.
        try? await eventually(within: Self.patience, "the job has ended") {
            let now = chat.transcript(of: job)
            if now.terminal != nil || chat.isEnded { return true }
            if let goal, now.events.count >= goal { return true }
            return chat.frames.contains { $0.event == "error" && $0.jobID == nil }
        }
        if chat.transcript(of: job).terminal != nil { await dawdle(for: Self.afterEnd) }
        return chat.transcript(of: job)
    }

    /// Follows a job by server-sent events, from the start on each connection.
    func stream(_ job: JobID) async -> ObservedFollower {
        var transcript = ChatTranscript(job)
        var connections = 0
        while transcript.terminal == nil, ContinuousClock.now < self.deadline, !Task.isCancelled {
            let http = HTTPProbe(port: self.rig.port(ofWeb: self.web + connections), headers: self.headers)
            connections += 1
            // Nobody there, or gone in the middle.
            if let reply = try? await http.get("/api/v1/jobs/\(job)/events", within: .seconds(60)), reply.status == 200
            {
                transcript = SSEReader.transcript(of: job, from: reply.text)
            } else {
                await dawdle(for: .milliseconds(200))
            }
        }
        return ObservedFollower(name: self.name, transcript: transcript, connections: connections)
    }
}
