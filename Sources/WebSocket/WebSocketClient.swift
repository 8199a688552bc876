import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import NIOPosix
import NIOSSL

/// Opens WebSockets: for the command line, tests and load generators.
package enum WebSocketClient {
    /// zlib's states, shared by all client sockets of the process: they hold nothing between two messages.
    static let compressionPool = CompressionPool()

    /// Connects, runs the body with the open socket, and closes it with 1000, or with 1001 when the body throws.
    ///
    /// URLs: `ws://`, `wss://`, `http://`, `https://`, or `ws+unix:///path/of/socket:/path`. The deadline covers TCP,
    /// TLS and the upgrade. Throws `WebSocketError`: `.refused` with the HTTP status, `.timedOut`, `.connectFailed`,
    /// `.invalidURL`; or what the body throws.
    package static func connect<R>(
        url: String,
        headers: [(String, String)] = [],
        configuration: WebSocketConfiguration = WebSocketConfiguration(),
        connectTimeout: Duration = .seconds(10),
        isolation: isolated (any Actor)? = #isolation,
        _ body: (WebSocketConnection) async throws -> R
    ) async throws -> R {
        let connection = try await self.open(
            WebSocketURL(url),
            headers: headers,
            configuration: configuration,
            timeout: connectTimeout
        )
        do {
            let result = try await body(connection)
            await connection.close(code: .normal)
            return result
        } catch {
            await connection.close(code: .goingAway)
            throw error
        }
    }

    /// A connection under way.
    private struct Attempt: Sendable {
        let channel: any Channel
        let upgrade: EventLoopFuture<WebSocketClientUpgrader.UpgradeResult>
    }

    private static func open(
        _ url: WebSocketURL,
        headers: [(String, String)],
        configuration: WebSocketConfiguration,
        timeout: Duration
    ) async throws -> WebSocketConnection {
        let deadline = NIODeadline.now() + TimeAmount(timeout)
        let attempt: Attempt
        do {
            attempt = try await self.start(url, headers: headers, configuration: configuration, timeout: timeout)
        } catch {
            try Task.checkCancellation()
            let isTimeout = NIODeadline.now() >= deadline
            throw WebSocketError(isTimeout ? .timedOut : .connectFailed, "no connection", underlying: error)
        }
        let timer = attempt.channel.eventLoop.scheduleTask(deadline: deadline) { attempt.channel.close(promise: nil) }
        defer { timer.cancel() }
        return try await self.finish(attempt, deadline: deadline)
    }

    private static func start(
        _ url: WebSocketURL,
        headers: [(String, String)],
        configuration: WebSocketConfiguration,
        timeout: Duration
    ) async throws -> Attempt {
        let tls = url.isSecure ? try NIOSSLContext(configuration: .makeClientConfiguration()) : nil
        let head = self.head(for: url, headers: headers)
        let request = try HTTPRequest(head, secure: url.isSecure, splitCookie: false)
        let upgrader = WebSocketClientUpgrader(request: request, configuration: configuration)
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(TimeAmount(timeout))
            // So that messages that came before the end of input can still be read; TLS has an end of its own.
            .channelOption(.allowRemoteHalfClosure, value: !url.isSecure)
        let initializer: @Sendable (any Channel) -> EventLoopFuture<Attempt> = { channel in
            channel.eventLoop.makeCompletedFuture {
                if let tls { try self.addTLS(tls, for: url, to: channel) }
                return try self.addHandlers(to: channel, head: head, upgrader: upgrader)
            }
        }
        switch url.target {
        case .host(let host, let port):
            return try await bootstrap.connect(host: host, port: port, channelInitializer: initializer)
        case .unixSocket(let path):
            return try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: initializer)
        }
    }

    private static func finish(_ attempt: Attempt, deadline: NIODeadline) async throws -> WebSocketConnection {
        do {
            let result = try await withTaskCancellationHandler {
                try await attempt.upgrade.get()
            } onCancel: {
                attempt.channel.close(promise: nil)
            }
            switch result {
            case .open(let connection): return connection
            case .refused(let status):
                let status = try await status.get()
                throw WebSocketError(.refused(status: Int(status.code)), "the server refused the upgrade: \(status)")
            }
        } catch {
            attempt.channel.close(promise: nil)
            if let error = error as? WebSocketError { throw error }
            try Task.checkCancellation()
            let isTimeout = NIODeadline.now() >= deadline
            throw WebSocketError(isTimeout ? .timedOut : .connectFailed, "no WebSocket", underlying: error)
        }
    }

    private static func head(for url: WebSocketURL, headers: [(String, String)]) -> HTTPRequestHead {
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: url.path)
        head.headers.add(name: "Host", value: url.authority)
        for (name, value) in headers { head.headers.replaceOrAdd(name: name, value: value) }
        return head
    }

    private static func addTLS(_ tls: NIOSSLContext, for url: WebSocketURL, to channel: any Channel) throws {
        guard case .host(let host, _) = url.target else { return }
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        let handler = try NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host)
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    private static func addHandlers(
        to channel: any Channel,
        head: HTTPRequestHead,
        upgrader: WebSocketClientUpgrader
    ) throws -> Attempt {
        let configuration = NIOTypedHTTPClientUpgradeConfiguration(
            upgradeRequestHead: head,
            upgraders: [upgrader]
        ) { channel in
            channel.eventLoop.makeCompletedFuture {
                let status = channel.eventLoop.makePromise(of: HTTPResponseStatus.self)
                try channel.pipeline.syncOperations.addHandler(RefusalHandler(status: status))
                return .refused(status.futureResult)
            }
        }
        var pipeline = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: configuration)
        pipeline.leftOverBytesStrategy = .forwardBytes
        let upgrade = try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(configuration: pipeline)
        return Attempt(channel: channel, upgrade: upgrade)
    }
}
