import NIOCore
import Synchronization

/// The zlib states of all sockets of one server: without context takeover a state belongs to no socket, so an idle
/// socket costs none of the 44 KiB (inflate) and 256 KiB (deflate) that zlib's manual names.
final class CompressionPool: Sendable {
    private struct State {
        var inflaters: [Inflater] = []
        /// By window bits, since a client may ask for a small window.
        var deflaters: [Int: [Deflater]] = [:]
    }

    private let state = Mutex(State())
    /// Unused states kept of each kind; more are freed when given back.
    private let idleMax = 4

    func takeInflater() throws(WebSocketFailure) -> Inflater {
        if let inflater = self.state.withLock({ $0.inflaters.popLast() }) { return inflater }
        guard let inflater = Inflater() else { throw WebSocketFailure(.serverError, "out of memory") }
        return inflater
    }

    func giveBack(_ inflater: Inflater) {
        inflater.reset()
        self.state.withLock { state in
            guard state.inflaters.count < self.idleMax else { return }
            state.inflaters.append(inflater)
        }
    }

    /// The message compressed, or nil when it is better sent as it is.
    func compress(_ message: ByteBuffer, windowBits: Int) -> ByteBuffer? {
        let pooled = self.state.withLock { $0.deflaters[windowBits]?.popLast() }
        guard let deflater = pooled ?? Deflater(windowBits: windowBits) else { return nil }
        let compressed = deflater.compress(message)
        self.state.withLock { state in
            guard state.deflaters[windowBits, default: []].count < self.idleMax else { return }
            state.deflaters[windowBits, default: []].append(deflater)
        }
        return compressed
    }
}
