import Domain
import Foundation
import NIOCore
import NIOPosix

/// Sends one request on a connection of its own, exactly as told, and reads the answer to the connection's end.
struct HTTPProbe: Sendable {
    struct Answer: Sendable {
        let status: Int
        let headers: [(name: String, value: String)]
        let body: String

        var json: JSONValue {
            get throws { try JSON.decode(JSONValue.self, from: self.body) }
        }

        subscript(_ header: String) -> String? {
            self.headers.first { $0.name == header.lowercased() }?.value
        }

        /// `error.code` of a failure.
        var code: String? { (try? self.json)?["error"]?["code"]?.string }
    }

    struct Malformed: Error {
        let text: String
    }

    private static let patience = TimeAmount.seconds(30)

    let port: Int
    /// Sent with every request, unless the request names it itself.
    var headers: [String: String] = [:]

    func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer {
        try await self.send("GET", path, headers: headers)
    }

    func post(
        _ path: String,
        _ body: [String: JSONValue],
        headers: [String: String] = [:]
    ) async throws -> Answer {
        try await self.send("POST", path, headers: headers, body: try JSON.text(body))
    }

    func send(
        _ method: String,
        _ path: String,
        headers: [String: String] = [:],
        body: String? = nil
    ) async throws -> Answer {
        var fields = ["Host": "127.0.0.1:\(self.port)", "Connection": "close"]
        if let body {
            fields["Content-Length"] = String(body.utf8.count)
            fields["Content-Type"] = "application/json"
        }
        fields.merge(self.headers) { $1 }
        fields.merge(headers) { $1 }
        let lines = fields.filter { !$0.value.isEmpty }.map { "\($0.key): \($0.value)\r\n" }.joined()
        let text = try await self.exchange("\(method) \(path) HTTP/1.1\r\n\(lines)\r\n\(body ?? "")")
        return try Self.answer(text)
    }

    /// Sends bytes and reads everything that comes.
    func exchange(_ request: String) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: self.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let timer = channel.channel.eventLoop.scheduleTask(in: Self.patience) { channel.channel.close(promise: nil) }
        defer { timer.cancel() }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            var all = ByteBuffer()
            do {
                for try await part in inbound { all.writeImmutableBuffer(part) }
            } catch {
                // A reset after the answer, when the server did not want the rest of the request.
                guard all.readableBytes > 0 else { throw error }
            }
            return String(buffer: all)
        }
    }

    private static func answer(_ text: String) throws -> Answer {
        guard let end = text.firstRange(of: "\r\n\r\n") else { throw Malformed(text: text) }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let parts = lines.first?.split(separator: " ") ?? []
        guard parts.count >= 2, let status = Int(parts[1]) else { throw Malformed(text: text) }
        let headers = lines.dropFirst().map { line in
            let pair = line.split(separator: ":", maxSplits: 1)
            return (
                name: pair[0].lowercased(), value: pair.count > 1 ? pair[1].trimmingCharacters(in: .whitespaces) : ""
            )
        }
        let rest = text[end.upperBound...]
        let isChunked = headers.contains { $0.name == "transfer-encoding" && $0.value == "chunked" }
        return Answer(status: status, headers: headers, body: isChunked ? try Self.dechunked(rest) : String(rest))
    }

    private static func dechunked(_ text: Substring) throws -> String {
        var bytes = Array(text.utf8)[...]
        var body: [UInt8] = []
        while let end = bytes.firstIndex(of: 13) {
            let digits = String(decoding: bytes[..<end], as: UTF8.self)
            guard let size = Int(digits, radix: 16) else { throw Malformed(text: digits) }
            bytes = bytes[(end + 2)...]
            guard size > 0 else { break }
            body += bytes.prefix(size)
            bytes = bytes.dropFirst(size + 2)
        }
        return String(decoding: body, as: UTF8.self)
    }
}
