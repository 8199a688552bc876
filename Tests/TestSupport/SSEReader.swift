package import Domain

/// Reads a whole stream of server-sent events, as `/jobs/{id}/events` gives them, into a transcript.
package enum SSEReader {
    /// What the stream told of a job; comments and broken pieces are passed over.
    package static func transcript(of job: JobID, from stream: String) -> ChatTranscript {
        var transcript = ChatTranscript(job)
        for block in stream.split(separator: "\n\n") {
            var fields: [Substring: Substring] = [:]
            for line in block.split(separator: "\n") {
                guard let colon = line.firstRange(of: ": ") else { continue }
                fields[line[..<colon.lowerBound]] = line[colon.upperBound...]
            }
            guard let id = fields["id"].flatMap({ EventID(String($0)) }),
                let event = fields["event"].flatMap({ EventType(rawValue: String($0)) }),
                let data = fields["data"].flatMap({ try? JSON.decode(JSONValue.self, from: String($0)) })
            else { continue }
            transcript.take(event, id: id, data: data)
        }
        return transcript
    }
}
