import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Keeps one greeted connection up: connects, tells its delegate, and connects again after a loss, until stopped.
final class RedisLink: Sendable {
    private enum Phase {
        case idle
        case connecting
        case connected(any Channel, since: NIODeadline)
        case waiting(Scheduled<Void>)
        case stopped
    }

    private struct State {
        var phase = Phase.idle
        /// Set while running; the link and its owner hold each other only that long.
        var delegate: (any RedisLinkDelegate)?
        var tls: NIOSSLContext?
        var ended: EventLoopPromise<Void>?
        var backoff = ReconnectBackoff()
        /// The last failure that was logged as a warning; its repetitions are only debug lines.
        var lastWarning: String?
    }

    let configuration: RedisConfiguration
    let name: String
    let eventLoop: any EventLoop
    let logger: Logger
    private let state = Mutex(State())

    /// A connection shorter than this does not prove the server well, so the backoff goes on growing.
    private static let provenAfter = TimeAmount.seconds(1)

    init(configuration: RedisConfiguration, name: String, eventLoop: any EventLoop, logger: Logger) {
        self.configuration = configuration
        self.name = name
        self.eventLoop = eventLoop
        var logger = logger
        logger[metadataKey: "redis"] = "\(name)"
        self.logger = logger
    }

    /// Runs until `stop()` or the task's cancellation; returns at once when stopped before.
    ///
    /// Throws `.tls` when the CA file cannot be read, `.unsupported` when it runs already.
    func run(for delegate: any RedisLinkDelegate) async throws(RedisError) {
        let tls = try self.configuration.makeTLSContext()
        let ended = self.eventLoop.makePromise(of: Void.self)
        let found = self.state.withLock { state -> Phase in
            let found = state.phase
            guard case .idle = found else { return found }
            state.phase = .connecting
            state.delegate = delegate
            state.tls = tls
            state.ended = ended
            return found
        }
        switch found {
        case .idle:
            break
        case .stopped:
            return ended.succeed()
        case .connecting, .connected, .waiting:
            ended.succeed()
            throw RedisError(.unsupported, "\(self.name) runs already")
        }
        self.eventLoop.execute { self.connect() }
        await withTaskCancellationHandler {
            // Never fails: `finish` is its only source.
            _ = try? await ended.futureResult.get()
        } onCancel: {
            self.stop()
        }
    }

    /// Ends the connection and the attempts; returns at once.
    func stop() {
        self.eventLoop.execute {
            let phase = self.state.withLock { state in
                defer { state.phase = .stopped }
                return state.phase
            }
            switch phase {
            case .connected(let channel, _):
                // `connectionEnded` finishes.
                channel.close(promise: nil)
            case .waiting(let retry):
                retry.cancel()
                self.finish()
            case .idle, .connecting:
                self.finish()
            case .stopped:
                break
            }
        }
    }

    /// Returns when `run` is about to return; at once if it is not running.
    func waitUntilEnded() async {
        guard let ended = self.state.withLock({ $0.ended }) else { return }
        _ = try? await ended.futureResult.get()
    }

    /// Gives the present connection up; a new one follows.
    func drop(because error: RedisError) {
        self.eventLoop.execute {
            guard case .connected(let channel, _) = self.state.withLock({ $0.phase }) else { return }
            channel.pipeline.fireErrorCaught(error)
        }
    }

    private func finish() {
        let (delegate, ended) = self.state.withLock { state in
            defer { (state.delegate, state.ended, state.tls) = (nil, nil, nil) }
            return (state.delegate, state.ended)
        }
        delegate?.linkStopped()
        ended?.succeed()
    }
}

// MARK: On the event loop

extension RedisLink {
    private func connect() {
        guard case .connecting = self.state.withLock({ $0.phase }) else { return }
        let tls = self.state.withLock { $0.tls }
        self.bootstrap(tls: tls).whenComplete { result in
            switch result {
            case .success(let channel): self.begin(on: channel)
            case .failure(let error): self.connectionEnded(Self.describe(error))
            }
        }
    }

    private func bootstrap(tls: NIOSSLContext?) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: self.eventLoop)
            .connectTimeout(TimeAmount(self.configuration.connectTimeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(
                            context: tls,
                            serverHostname: self.configuration.serverName
                        )
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(RedisConnectionHandler(link: self))
                }
            }
        switch self.configuration.address {
        case .unix(let path):
            return bootstrap.connect(unixDomainSocketPath: path)
        case .tcp(let host, let port):
            return bootstrap.channelOption(.socketOption(.so_keepalive), value: 1).connect(host: host, port: port)
        }
    }

    private func begin(on channel: any Channel) {
        let wanted = self.state.withLock { state in
            guard case .connecting = state.phase else { return false }
            state.phase = .connected(channel, since: .now())
            return true
        }
        guard wanted else { return channel.close(promise: nil) }
        do {
            try channel.pipeline.syncOperations.handler(type: RedisConnectionHandler.self).begin(on: channel)
        } catch {
            // The handler goes with its channel: closed in the moment it was connected.
            channel.close(promise: nil)
            self.connectionEnded(Self.describe(error))
        }
    }

    func connectionReady(_ channel: any Channel) {
        let (delegate, isBack) = self.state.withLock { state in
            defer { state.lastWarning = nil }
            return (state.delegate, state.lastWarning != nil)
        }
        // Only a return is news; the first connection is what everybody expects.
        self.logger.log(level: isBack ? .info : .debug, "connected", metadata: ["server": "\(self.configuration)"])
        delegate?.linkReady(channel)
    }

    func connectionReceived(_ replies: [RedisValue]) throws(RedisError) {
        try self.state.withLock { $0.delegate }?.linkReceived(replies)
    }

    func connectionWritable() {
        self.state.withLock { $0.delegate }?.linkWritable()
    }

    func connectionEnded(_ error: RedisError) {
        let (delegate, delay, isNews) = self.state.withLock { state -> ((any RedisLinkDelegate)?, Duration?, Bool) in
            if case .stopped = state.phase { return (nil, nil, false) }
            if case .connected(_, let since) = state.phase, since + Self.provenAfter < .now() { state.backoff.reset() }
            var generator = SystemRandomNumberGenerator()
            defer { state.lastWarning = error.message }
            return (state.delegate, state.backoff.next(using: &generator), state.lastWarning != error.message)
        }
        guard let delay else { return self.finish() }
        self.logger.log(
            level: isNews ? .warning : .debug,
            "no connection",
            metadata: ["server": "\(self.configuration)", "error": "\(error)", "retry_in": "\(delay)"]
        )
        delegate?.linkLost(error)
        let retry = self.eventLoop.scheduleTask(in: TimeAmount(delay)) {
            self.state.withLock { state in
                if case .waiting = state.phase { state.phase = .connecting }
            }
            self.connect()
        }
        self.state.withLock { $0.phase = .waiting(retry) }
    }

    /// NIO's and BoringSSL's errors in our words.
    static func describe(_ error: any Error) -> RedisError {
        switch error {
        case let error as RedisError: error
        case NIOSSLError.uncleanShutdown: RedisError(.notConnected, "the server closed the connection")
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: RedisError(.tls, "\(error)")
        default: RedisError(.notConnected, "\(error)")
        }
    }
}
