package import Domain
import Foundation
package import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks a server on this machine one thing at a time, each on a connection of its own, in whatever way a test wants.
package struct HTTPProbe: Sendable {
    /// What came back.
    package struct Reply: Sendable {
        package let status: Int
        /// Names in lower case.
        package let headers: [String: String]
        package let body: ByteBuffer

        package var text: String { String(buffer: self.body) }
        /// Nil when the body is no JSON.
        package var json: JSONValue? { try? JSON.decode(JSONValue.self, from: self.text) }
    }

    private static let bodyBytesMax = 64 << 20

    package let port: Int
    /// Sent with every request; `Host` may be among them.
    package var headers: [String: String]

    package init(port: Int, headers: [String: String] = [:]) {
        self.port = port
        self.headers = headers
    }

    package func get(_ path: String, within limit: Duration = .seconds(10)) async throws -> Reply {
        try await self.ask("GET", path, within: limit)
    }

    /// Sends a JSON body.
    package func post(
        _ path: String,
        json: String,
        headers: [String: String] = [:],
        within limit: Duration = .seconds(30)
    ) async throws -> Reply {
        let headers = headers.merging(["content-type": "application/json"]) { own, _ in own }
        return try await self.ask("POST", path, body: ByteBuffer(string: json), headers: headers, within: limit)
    }

    /// Sends a request and reads the answer to its end; throws when the connection ends before it, or after `limit`.
    package func ask(
        _ method: String,
        _ path: String,
        body: ByteBuffer? = nil,
        headers: [String: String] = [:],
        within limit: Duration = .seconds(10)
    ) async throws -> Reply {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(5))
            .connect(host: "127.0.0.1", port: self.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                        wrappingChannelSynchronously: channel
                    )
                }
            }
        let timeout = channel.channel.eventLoop.scheduleTask(in: TimeAmount(limit)) {
            channel.channel.close(promise: nil)
        }
        defer { timeout.cancel() }
        let head = self.head(method, path, bodyBytes: body?.readableBytes, headers: headers)
        return try await channel.executeThenClose { inbound, outbound in
            // A server may answer and close before it has read everything; the answer is what counts.
            var parts: [HTTPClientRequestPart] = [.head(head)]
            if let body { parts.append(.body(.byteBuffer(body))) }
            try? await outbound.write(contentsOf: parts + [.end(nil)])
            return try await Self.read(inbound, describing: "\(method) \(path)")
        }
    }

    private static func read(
        _ parts: NIOAsyncChannelInboundStream<HTTPClientResponsePart>,
        describing request: String
    ) async throws -> Reply {
        var status = 0
        var headers: [String: String] = [:]
        var body = ByteBuffer()
        for try await part in parts {
            switch part {
            case .head(let head):
                status = Int(head.status.code)
                for (name, value) in head.headers { headers[name.lowercased()] = value }
            case .body(var part):
                guard body.readableBytes + part.readableBytes <= Self.bodyBytesMax else { break }
                body.writeBuffer(&part)
            case .end: return Reply(status: status, headers: headers, body: body)
            }
        }
        throw NotInTime(description: "\(request): the connection ended in the middle of the answer (\(status))")
    }

    private func head(
        _ method: String,
        _ path: String,
        bodyBytes: Int?,
        headers: [String: String]
    ) -> HTTPRequestHead {
        var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method), uri: path)
        head.headers.add(name: "host", value: "127.0.0.1:\(self.port)")
        head.headers.add(name: "connection", value: "close")
        if let bodyBytes { head.headers.add(name: "content-length", value: String(bodyBytes)) }
        for (name, value) in self.headers.merging(headers, uniquingKeysWith: { _, own in own }) {
            head.headers.replaceOrAdd(name: name, value: value)
        }
        return head
    }
}
