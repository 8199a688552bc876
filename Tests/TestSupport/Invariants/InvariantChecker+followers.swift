import Domain

extension InvariantChecker {
    /// So long a worker waits for Redis with the last events before it commits.
    private static let flushMilliseconds: Int64 = 5000
    /// So long a process takes to be back on a Redis that is back.
    private static let reconnectMilliseconds: Int64 = 5000

    /// G6: who followed a job, however often it came back, has its end, each event once, and the whole text.
    mutating func checkFollowers() {
        for follower in self.record.followers {
            let transcript = follower.transcript
            guard let job = self.jobs[transcript.jobID], job.hasEnded else { continue }
            let who = "\(job.id), \(job.state): \(follower.name), \(follower.connections) connections,"
            self.report.check(
                .sameText,
                transcript.terminal != nil,
                "\(who) never saw its end; it got to \(transcript.cursor)"
            )
            self.report.check(
                .sameText,
                transcript.faults.isEmpty,
                "\(who) saw \(transcript.faults.prefix(2).joined(separator: "; "))"
            )
            guard let response = transcript.response, response != transcript.text else { continue }
            let difference = "\(who) \(Self.difference(transcript.text, response))"
            if response.hasPrefix(transcript.text), self.mayLackTail(job) {
                self.report.allow(.sameText, difference)
            } else {
                self.report.check(.sameText, false, difference)
            }
        }
    }

    /// Docs: the streamed text need not be whole when Redis is away as a run ends.
    private func mayLackTail(_ job: ObservedJob) -> Bool {
        guard let end = job.finishedAt else { return false }
        let begin = Timestamp(milliseconds: end.milliseconds - Self.flushMilliseconds)
        return self.record.faults.contains { fault in
            fault.effects.contains(.redis) && fault.touches(from: begin, to: end, aftermath: Self.reconnectMilliseconds)
        }
    }

    private static func difference(_ text: String, _ response: String) -> String {
        let same = zip(text, response).prefix { $0 == $1 }.count
        return "came to \(text.count) characters of \(response.count), the same up to \(same): "
            + "'\(text.dropFirst(max(0, same - 20)).prefix(60))' for '\(response.dropFirst(max(0, same - 20)).prefix(60))'"
    }
}
