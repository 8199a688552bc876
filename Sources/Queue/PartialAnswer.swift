package import Domain
import Events
import Redis
import Store

extension JobQueue {
    /// What the conversation keeps of jobs that were begun and are about to end without an answer: the text that was shown.
    ///
    /// From the logs; a log that is gone gives nothing.
    func partialAnswers(of jobs: [Job]) async -> [JobID: [Message]] {
        // Nobody waits for a Redis that is away: what it has of the text is worth less than an end in time.
        guard self.redis.isConnected else { return [:] }
        var kept: [JobID: [Message]] = [:]
        for job in jobs where job.kind == .chat && job.claims > 0 {
            if let message = await self.partialAnswer(of: job) { kept[job.id] = [message] }
        }
        return kept
    }

    /// The text that an earlier attempt has shown, as a message marked as partial; nil when there is none.
    package func partialAnswer(of job: Job) async -> Message? {
        guard let payload = try? JSON.decode(ChatPayload.self, from: job.payload),
            let shown = try? await self.log.shownText(of: job.id), !shown.text.isEmpty
        else { return nil }
        return Message(
            id: job.answerID(payload),
            role: .assistant,
            content: shown.text,
            timestamp: .now,
            agentID: payload.agentID,
            reasoning: shown.reasoning.isEmpty ? nil : shown.reasoning,
            metadata: ["job_id": .string(job.id.rawValue), "partial": .bool(true)]
        )
    }
}
