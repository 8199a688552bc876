import NIOCore
import Synchronization

/// Frames on their way from any task to the event loop, which takes them in batches.
///
/// Small payloads are copied behind their header into one buffer, so that a burst of tokens is one write; large ones
/// are passed on as they are, unless they have to be masked.
final class WebSocketOutbox: Sendable {
    struct Frame {
        var opcode: FrameOpcode
        var payload: ByteBuffer
        var isCompressed = false
    }

    /// What became of frames that were offered.
    enum Offer {
        /// Taken; somebody has to flush when `flush` says so, else a flush is already on its way.
        case taken(flush: Bool)
        case full
        case closed
    }

    /// What is to be written next.
    struct Batch {
        var buffers: [ByteBuffer] = []
        var bytes = 0
        var pongBytes = 0
    }

    private struct State {
        var batch = Batch()
        /// The end of the batch, still open for small frames.
        var tail = ByteBuffer()
        /// Size of the last tail: what the next one starts with, so that a busy socket does not grow it each time.
        var tailHint = 0
        /// Everything accepted and not yet taken by the kernel.
        var unsentBytes = 0
        /// The part of it that answers pings, which no `send` waits for.
        var unsentPongBytes = 0
        var isFlushScheduled = false
        var isClosed = false
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
    }

    private static let copiedPayloadBytesMax = 8_192
    private let state = Mutex(State())
    private let bytesMax: Int
    private let masks: Bool

    init(bytesMax: Int, masks: Bool) {
        self.bytesMax = bytesMax
        self.masks = masks
    }

    var unsentBytes: Int { self.state.withLock { $0.unsentBytes } }
    var unsentPongBytes: Int { self.state.withLock { $0.unsentPongBytes } }
    var isWritable: Bool { self.state.withLock { !$0.isClosed && $0.unsentBytes < self.bytesMax } }

    /// Takes data frames when the peer keeps up; all or none.
    func offer(_ frame: Frame) -> Offer {
        self.state.withLock { state in
            if let refusal = self.refusal(state) { return refusal }
            self.append(frame, to: &state)
            return self.taken(&state)
        }
    }

    func offer(_ frames: [Frame]) -> Offer {
        self.state.withLock { state in
            if let refusal = self.refusal(state) { return refusal }
            for frame in frames { self.append(frame, to: &state) }
            return self.taken(&state)
        }
    }

    /// Takes a ping or pong, whether the peer keeps up or not.
    ///
    /// For the event loop, which flushes by itself.
    func push(_ opcode: FrameOpcode, _ payload: ByteBuffer) {
        self.state.withLock { state in
            guard !state.isClosed else { return }
            let before = state.batch.bytes
            self.append(Frame(opcode: opcode, payload: payload), to: &state)
            guard opcode == .pong else { return }
            let bytes = state.batch.bytes - before
            state.batch.pongBytes += bytes
            state.unsentPongBytes += bytes
        }
    }

    /// Takes the Close frame, the last one; data offered later is refused.
    func close(_ payload: ByteBuffer) {
        let waiters = self.state.withLock { state in
            guard !state.isClosed else { return [CheckedContinuation<Void, Never>]() }
            self.append(Frame(opcode: .close, payload: payload), to: &state)
            state.isClosed = true
            return self.takeWaiters(&state)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The connection is gone: nothing is kept, everybody who waits is told.
    func end() {
        let waiters = self.state.withLock { state in
            state.isClosed = true
            state.batch = Batch()
            state.tail = ByteBuffer()
            return self.takeWaiters(&state)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Everything that waits for the event loop.
    func take() -> Batch? {
        self.state.withLock { state in
            state.isFlushScheduled = false
            guard state.batch.bytes > 0 else { return nil }
            self.sealTail(&state)
            var batch = Batch()
            swap(&batch, &state.batch)
            return batch
        }
    }

    /// The kernel has taken a batch: wakes those who wait when half of the room is free again.
    func written(_ batch: (bytes: Int, pongBytes: Int)) {
        let waiters = self.state.withLock { state in
            state.unsentBytes -= batch.bytes
            state.unsentPongBytes -= batch.pongBytes
            return state.unsentBytes <= self.bytesMax / 2 ? self.takeWaiters(&state) : []
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until there may be room, the socket is closed or the task is cancelled; the caller looks which.
    func waitForRoom() async {
        let id = self.state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayWait = self.state.withLock { state in
                    guard !state.isClosed, state.unsentBytes >= self.bytesMax, !Task.isCancelled else { return false }
                    state.waiters[id] = continuation
                    return true
                }
                if !mayWait { continuation.resume() }
            }
        } onCancel: {
            self.state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }

    private func refusal(_ state: State) -> Offer? {
        if state.isClosed { return .closed }
        return state.unsentBytes >= self.bytesMax ? .full : nil
    }

    private func taken(_ state: inout State) -> Offer {
        defer { state.isFlushScheduled = true }
        return .taken(flush: !state.isFlushScheduled)
    }

    private func takeWaiters(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        guard !state.waiters.isEmpty else { return [] }
        defer { state.waiters.removeAll() }
        return Array(state.waiters.values)
    }

    private func append(_ frame: Frame, to state: inout State) {
        let payloadBytes = frame.payload.readableBytes
        var header = FrameHeader(opcode: frame.opcode, payloadBytes: payloadBytes)
        header.isCompressed = frame.isCompressed
        header.mask = self.masks ? MaskingKey.random() : nil

        self.reserve(payloadBytes, in: &state)
        let start = state.tail.writerIndex
        header.write(to: &state.tail)
        var bytes = state.tail.writerIndex - start
        bytes += payloadBytes
        if let mask = header.mask {
            let payloadStart = state.tail.writerIndex
            state.tail.writeImmutableBuffer(frame.payload)
            state.tail.withBytes(from: payloadStart) { mask.apply(to: $0, offset: 0) }
        } else if payloadBytes <= Self.copiedPayloadBytesMax {
            state.tail.writeImmutableBuffer(frame.payload)
        } else {
            self.sealTail(&state)
            state.batch.buffers.append(frame.payload)
        }
        state.batch.bytes += bytes
        state.unsentBytes += bytes
    }

    private func sealTail(_ state: inout State) {
        guard state.tail.readableBytes > 0 else { return }
        state.tailHint = min(state.tail.readableBytes, Self.copiedPayloadBytesMax)
        state.batch.buffers.append(state.tail)
        state.tail = ByteBuffer()
    }

    private func reserve(_ payloadBytes: Int, in state: inout State) {
        let headerBytesMax = 14
        let isCopied = self.masks || payloadBytes <= Self.copiedPayloadBytesMax
        let needed = headerBytesMax + (isCopied ? payloadBytes : 0)
        let hint = state.tail.capacity == 0 ? state.tailHint : 0
        state.tail.reserveCapacity(minimumWritableBytes: max(needed, hint))
    }
}
