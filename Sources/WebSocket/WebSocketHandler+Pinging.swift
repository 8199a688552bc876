import NIOCore

extension WebSocketHandler {
    /// Looks once per `pingInterval` after the peer, for as long as the socket is open.
    func schedulePing() {
        guard self.configuration.pingInterval > .zero, let context else { return }
        let loop = context.eventLoop.assumeIsolated()
        let timer = loop.scheduleTask(in: TimeAmount(self.configuration.pingInterval)) { self.ping() }
        self.liveness.wait(with: timer)
    }

    private func ping() {
        guard self.phase == .open else { return }
        if self.isHoldingInput { self.liveness.heard() }
        guard self.liveness.tick() else {
            self.context?.close(promise: nil)
            return
        }
        self.connection.outbox.push(.ping, ByteBuffer())
        self.flush()
        self.schedulePing()
    }
}
