import Domain

/// A server-sent event as it came.
struct SSEEvent: Sendable {
    let id: String
    let event: String
    let data: JSONValue
    /// Its lines, with the empty one.
    let text: String

    struct Malformed: Error {
        let text: String
    }

    /// Reads a stream of our form: `id`, `event` and one `data` line each; comments are left out.
    static func parse(_ stream: String) throws -> [SSEEvent] {
        try stream.split(separator: "\n\n").filter { !$0.hasPrefix(":") }.map { block in
            let lines = block.split(separator: "\n", omittingEmptySubsequences: false)
            guard lines.count == 3, lines[0].hasPrefix("id: "), lines[1].hasPrefix("event: "),
                lines[2].hasPrefix("data: ")
            else { throw Malformed(text: String(block)) }
            return SSEEvent(
                id: String(lines[0].dropFirst(4)),
                event: String(lines[1].dropFirst(7)),
                data: try JSON.decode(JSONValue.self, from: String(lines[2].dropFirst(6))),
                text: block + "\n\n"
            )
        }
    }
}
