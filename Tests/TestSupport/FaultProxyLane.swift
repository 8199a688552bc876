import DequeModule
import NIOCore

/// One direction of a proxied connection: what was read and not yet passed on.
final class FaultProxyLane {
    /// Beyond this nothing more is read, so that whoever sends feels it.
    private static let bytesMax = 1 << 20
    /// A throttled lane writes about so often.
    private static let writesPerSecond = 20

    private struct Piece {
        var bytes: ByteBuffer
        let due: NIODeadline
    }

    private let direction: FaultProxy.Direction
    private let hub: FaultProxyHub
    /// The connection that this is half of.
    weak var link: FaultProxyLink?
    var source: (any Channel)?
    var destination: (any Channel)?
    private var pieces: Deque<Piece> = []
    private var bytes = 0
    private var isReading = true
    /// The source has sent its end; it follows what is queued.
    private var hasEnded = false
    /// The end was passed on.
    private(set) var isFinished = false
    private var timer: Scheduled<Void>?
    /// When a throttled lane may write again.
    private var nextWrite = NIODeadline.uptimeNanoseconds(0)

    init(_ direction: FaultProxy.Direction, hub: FaultProxyHub) {
        self.direction = direction
        self.hub = hub
    }

    func take(_ bytes: ByteBuffer) {
        guard !self.isFinished else { return }
        let delay = self.hub.faults.delay[self.direction] ?? .zero
        self.pieces.append(Piece(bytes: bytes, due: .now() + delay))
        self.bytes += bytes.readableBytes
    }

    func end() {
        self.hasEnded = true
    }

    /// Passes on what is due and may go.
    func pump() {
        self.timer?.cancel()
        self.timer = nil
        guard let destination, !self.isFinished, !self.hub.faults.held.contains(self.direction) else {
            return self.regulate()
        }
        while let first = self.pieces.first {
            let due = max(first.due, self.nextWrite)
            guard due <= .now() else {
                self.pump(at: due)
                break
            }
            guard destination.isWritable else { break }
            self.write(to: destination)
        }
        if self.pieces.isEmpty, self.hasEnded { self.finish() }
        self.regulate()
    }

    /// Sends the end now and passes on nothing more.
    func shut() {
        self.pieces = []
        self.bytes = 0
        self.finish()
    }

    /// Forgets everything; nothing is passed on or asked for any more.
    func drop() {
        self.timer?.cancel()
        self.timer = nil
        self.isFinished = true
        self.pieces = []
        self.source = nil
        self.destination = nil
    }

    private func write(to destination: any Channel) {
        guard var piece = self.pieces.popFirst() else { return }
        var out = piece.bytes
        if let rate = self.hub.faults.bytesPerSecond[self.direction] {
            let some = min(out.readableBytes, max(1, rate / Self.writesPerSecond))
            out = piece.bytes.readSlice(length: some) ?? out
            if piece.bytes.readableBytes > 0 { self.pieces.prepend(piece) }
            self.nextWrite = .now() + .nanoseconds(Int64(some) * 1_000_000_000 / Int64(rate))
        }
        self.bytes -= out.readableBytes
        self.hub.counters.bytes[self.direction, default: 0] += out.readableBytes
        destination.writeAndFlush(out, promise: nil)
    }

    private func finish() {
        guard !self.isFinished else { return }
        self.isFinished = true
        // An end that cannot be sent is one that the other side has met already.
        self.destination?.close(mode: .output, promise: nil)
    }

    private func pump(at due: NIODeadline) {
        let bound = NIOLoopBound(self, eventLoop: self.hub.loop)
        self.timer = self.hub.loop.scheduleTask(deadline: due) { bound.value.link?.pump() }
    }

    private func regulate() {
        let mayRead = self.bytes < Self.bytesMax
        guard mayRead != self.isReading, let source else { return }
        self.isReading = mayRead
        // Fails only on a channel that has ended.
        _ = source.setOption(.autoRead, value: mayRead)
    }
}
