// Redis: connections, commands and subscriptions; SwiftNIO for the sockets, hiredis as the protocol codec.

package import CoreMetrics
package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// One connection to Redis that many tasks share and that comes back after a loss.
///
/// Commands are pipelined in the order of their calls; those of many callers go out with one write. Before the
/// connection is up, commands wait for it until their deadline, so the client may be used before `run()` has started.
/// After a loss those already sent fail with `.connectionLost` (they may have been executed), the others go on waiting.
///
/// A caller who is cancelled or times out leaves its place in the pipeline: a reply never meets another's command.
/// Commands that block the connection (`BLPOP`, `XREADGROUP … BLOCK`) belong on a client of their own, with a `timeout`
/// longer than the block; cancelling one frees the caller, not the connection.
package final class RedisClient: Sendable {
    typealias Completion = @Sendable (PipelineOutcome) -> Void

    private struct State {
        var pipeline: PipelineState<Completion>
        /// Set while the pipeline is ready.
        var channel: (any Channel)?
        /// Connections so far.
        var connectionNumber = 0
    }

    package let configuration: RedisConfiguration
    private let link: RedisLink
    private let roundTrips: CoreMetrics.Timer?
    private let state: Mutex<State>

    /// Nothing happens before `run()`; `name` is shown by `CLIENT LIST` and in the log, `roundTrips` times each call.
    package init(
        _ configuration: RedisConfiguration,
        name: String,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        roundTrips: CoreMetrics.Timer? = nil,
        logger: Logger
    ) {
        self.configuration = configuration
        self.roundTrips = roundTrips
        self.link = RedisLink(
            configuration: configuration,
            name: name,
            eventLoop: eventLoopGroup.next(),
            logger: logger
        )
        let limits = PipelineState<Completion>.Limits(
            commandsMax: configuration.queuedCommandsMax,
            bytesMax: configuration.queuedBytesMax,
            hungAfter: TimeAmount(configuration.hungAfter)
        )
        self.state = Mutex(State(pipeline: PipelineState(limits: limits)))
    }

    /// True between the greeting of a connection and its loss.
    package var isConnected: Bool { self.state.withLock { $0.pipeline.isReady } }

    /// Commands that wait for their replies, or for the connection.
    package var pendingCommands: Int { self.state.withLock { $0.pipeline.pendingCommands } }

    /// Which connection this is, from 1; 0 before the first.
    package var connectionNumber: Int { self.state.withLock { $0.connectionNumber } }

    /// Sends one command and waits for its reply; `timeout` defaults to `commandTimeout` (5 s).
    ///
    /// Throws `.server` when the reply is an error, see `RedisError.Code` for the rest.
    package func send(_ command: RedisCommand, timeout: Duration? = nil) async throws(RedisError) -> RedisValue {
        let replies = try await self.replies(to: [command], timeout: timeout)
        guard let reply = replies.first else { throw RedisError(.protocolViolation, "no reply to \(command)") }
        return try Self.result(reply).get()
    }

    /// Sends commands as one write, without others in between, and waits for all replies, in order.
    ///
    /// An error reply is one `.failure` among the results. Throws when the batch as a whole has no replies: not
    /// connected, lost, timed out, cancelled, refused.
    package func send(
        batch: [RedisCommand],
        timeout: Duration? = nil
    ) async throws(RedisError) -> [Result<RedisValue, RedisError>] {
        guard !batch.isEmpty else { return [] }
        return try await self.replies(to: batch, timeout: timeout).map(Self.result)
    }

    /// Like `send(batch:)`, without a task: `completion` gets one result per command.
    ///
    /// When the batch as a whole fails, each result is that failure. `completion` runs once, on the event loop (when the
    /// batch is refused at once, on the caller's thread), and must not block.
    package func submit(
        batch: [RedisCommand],
        timeout: Duration? = nil,
        completion: @escaping @Sendable ([Result<RedisValue, RedisError>]) -> Void
    ) {
        guard !batch.isEmpty else { return completion([]) }
        let count = batch.count
        _ = self.enqueue(batch, timeout: timeout) { outcome in
            switch outcome {
            case .replies(let replies): completion(replies.map(Self.result))
            case .failed(let error): completion(Array(repeating: .failure(error), count: count))
            }
        }
    }

    /// Ends the connection at once and for good: everything pending and everything later fails with `.closed`.
    package func close() async {
        _ = try? await self.link.eventLoop.submit { self.linkStopped() }.get()
        self.link.stop()
        await self.link.waitUntilEnded()
    }
}

extension RedisClient: Service {
    /// Connects, and connects again after each loss, waiting 100 ms … 5 s (full jitter) between attempts.
    ///
    /// Returns after `close()`, the task's cancellation or a graceful shutdown; the client is closed then. Throws only
    /// when no attempt can succeed (an unreadable CA file) or it runs already. A refused password is no reason to end:
    /// it is logged, and told to those who wait.
    package func run() async throws {
        try await withGracefulShutdownHandler {
            try await self.link.run(for: self)
        } onGracefulShutdown: {
            self.link.stop()
        }
    }
}

// MARK: Callers

extension RedisClient {
    private func replies(to batch: [RedisCommand], timeout: Duration?) async throws(RedisError) -> [RedisValue] {
        let began = NIODeadline.now()
        let hook = CancellationHook()
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let id = self.enqueue(batch, timeout: timeout) { continuation.resume(returning: $0) }
                if let id { hook.arm { self.cancel(id) } }
            }
        } onCancel: {
            hook.cancel()
        }
        switch outcome {
        case .replies(let replies):
            self.roundTrips?.recordNanoseconds((NIODeadline.now() - began).nanoseconds)
            return replies
        case .failed(let error): throw error
        }
    }

    private static func result(_ reply: RedisValue) -> Result<RedisValue, RedisError> {
        guard case .error(let message) = reply else { return .success(reply) }
        return .failure(RedisError(.server, message))
    }

    /// Nil when it was refused and `completion` has been called.
    private func enqueue(
        _ batch: [RedisCommand],
        timeout: Duration?,
        completion: @escaping Completion
    ) -> UInt64? {
        if let command = batch.first(where: \.isUnsupported) {
            completion(.failed(RedisError(.unsupported, "\(command) cannot share a connection; use RedisSubscriber")))
            return nil
        }
        let deadline = NIODeadline.now() + TimeAmount(timeout ?? self.configuration.commandTimeout)
        let submission = PipelineState<Completion>.Submission(
            commandCount: batch.count,
            bytes: Self.joined(batch),
            name: batch[0].name,
            deadline: deadline,
            waiter: completion
        )
        switch self.state.withLock({ $0.pipeline.submit(submission) }) {
        case .refused(let error):
            completion(.failed(error))
            return nil
        case .accepted(let id, let flush, let wake):
            if flush { self.link.eventLoop.execute { self.flush() } }
            if let wake { self.schedule(wake: wake) }
            return id
        }
    }

    private static func joined(_ batch: [RedisCommand]) -> ByteBuffer {
        guard batch.count > 1 else { return batch[0].encoded }
        let size = batch.reduce(0) { $0 + $1.encoded.readableBytes }
        var bytes = ByteBufferAllocator().buffer(capacity: size)
        for command in batch { bytes.writeImmutableBuffer(command.encoded) }
        return bytes
    }

    private func cancel(_ id: UInt64) {
        guard let finished = self.state.withLock({ $0.pipeline.cancel(id) }) else { return }
        finished.waiter(finished.outcome)
    }
}

// MARK: On the event loop

extension RedisClient: RedisLinkDelegate {
    /// So much is taken out of the line at once; the rest waits until the socket takes more.
    private static let writeBytesMax = 256 * 1024

    func linkReady(_ channel: any Channel) {
        let flush = self.state.withLock { state in
            state.channel = channel
            state.connectionNumber += 1
            return state.pipeline.connected(now: .now())
        }
        if flush { self.flush() }
    }

    func linkReceived(_ replies: [RedisValue]) throws(RedisError) {
        var finished: [PipelineState<Completion>.Finished] = []
        finished.reserveCapacity(replies.count)
        var violation: RedisError?
        self.state.withLock { state in
            do throws(RedisError) {
                try state.pipeline.receive(replies, now: .now(), finished: &finished)
            } catch {
                violation = error
            }
        }
        for (waiter, outcome) in finished { waiter(outcome) }
        if let violation { throw violation }
    }

    func linkWritable() {
        self.flush()
    }

    func linkLost(_ error: RedisError) {
        let finished = self.state.withLock { state in
            state.channel = nil
            return state.pipeline.disconnected(error)
        }
        for (waiter, outcome) in finished { waiter(outcome) }
    }

    func linkStopped() {
        let finished = self.state.withLock { state in
            state.channel = nil
            return state.pipeline.close()
        }
        for (waiter, outcome) in finished { waiter(outcome) }
    }

    /// Writes what waits, as long as the socket takes it.
    private func flush() {
        guard let channel = self.state.withLock({ $0.channel }) else { return }
        while channel.isWritable {
            let pieces = self.state.withLock { $0.pipeline.takeForWriting(bytesMax: Self.writeBytesMax) }
            guard !pieces.isEmpty else { return }
            for chunk in WriteChunks.joined(pieces) { channel.write(chunk, promise: nil) }
            channel.flush()
        }
    }

    private func schedule(wake: NIODeadline) {
        self.link.eventLoop.scheduleTask(deadline: wake) { self.expire(wake: wake) }
    }

    private func expire(wake: NIODeadline) {
        var finished: [PipelineState<Completion>.Finished] = []
        let (next, hung) = self.state.withLock { state in
            state.pipeline.expire(wake: wake, now: .now(), finished: &finished)
        }
        for (waiter, outcome) in finished { waiter(outcome) }
        if let next { self.schedule(wake: next) }
        if hung { self.link.drop(because: RedisError(.notConnected, "the server has stopped answering")) }
    }
}
