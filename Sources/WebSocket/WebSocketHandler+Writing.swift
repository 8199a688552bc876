import NIOCore

extension WebSocketHandler {
    /// Writes everything that waits in the outbox.
    func flush() {
        guard self.phase != .closed, let context, let batch = self.connection.outbox.take() else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        let size = (bytes: batch.bytes, pongBytes: batch.pongBytes)
        written.futureResult.assumeIsolated().whenComplete { _ in self.written(size) }
        self.bytesWritten += batch.bytes
        for buffer in batch.buffers.dropLast() {
            context.write(Self.wrapOutboundOut(buffer), promise: nil)
        }
        if let last = batch.buffers.last {
            context.writeAndFlush(Self.wrapOutboundOut(last), promise: written)
        } else {
            written.succeed()
        }
        if self.connection.outbox.unsentBytes > 0 { self.scheduleWriteCheck() }
    }

    private func written(_ batch: (bytes: Int, pongBytes: Int)) {
        self.connection.outbox.written(batch)
        self.closeIfWritten()
        if batch.pongBytes > 0 { self.resumeReading() }
    }

    /// Looks after `writeTimeout` whether the kernel has taken anything; a peer that takes nothing is cut.
    private func scheduleWriteCheck() {
        guard self.writeTimer == nil, let context else { return }
        let before = self.bytesTaken
        let loop = context.eventLoop.assumeIsolated()
        self.writeTimer = loop.scheduleTask(in: TimeAmount(self.configuration.writeTimeout)) {
            self.checkWrites(since: before)
        }
    }

    private func checkWrites(since before: Int) {
        self.writeTimer = nil
        guard self.phase != .closed, self.connection.outbox.unsentBytes > 0 else { return }
        if self.bytesTaken == before {
            self.context?.close(promise: nil)
        } else {
            self.scheduleWriteCheck()
        }
    }

    /// Bytes handed to the kernel so far.
    private var bytesTaken: Int {
        let buffered = try? self.context?.channel.syncOptions?.getOption(.bufferedWritableBytes)
        return self.bytesWritten - (buffered ?? 0)
    }
}
