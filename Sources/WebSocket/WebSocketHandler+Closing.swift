import NIOCore

extension WebSocketHandler {
    /// Begins a close of ours; without effect once a close is under way.
    func close(code: WebSocketCloseCode, reason: String) {
        guard self.phase == .open else { return }
        self.connection.outbox.close(ClosePayload(code: code, reason: reason).bytes)
        self.connection.closing(with: code)
        self.phase = .closeSent
        self.scheduleClose()
        self.flush()
        self.resumeReading()
    }

    /// The peer's Close frame: the answer to ours, or to be answered with the same code.
    func receiveClose(_ close: ClosePayload) {
        if self.phase == .open {
            self.connection.outbox.close(ClosePayload(code: close.code).bytes)
            self.connection.closing(with: close.code ?? .noCode)
        }
        self.linger()
    }

    /// Fails the connection: says why, and takes nothing more. RFC 6455, section 7.1.7.
    func fail(_ failure: WebSocketFailure) {
        if self.phase == .open {
            self.connection.outbox.close(ClosePayload(code: failure.code, reason: failure.reason).bytes)
            self.connection.closing(with: failure.code)
        }
        self.linger()
    }

    /// The peer has closed its side of TCP and everything it sent has been looked at.
    func inputEnded() {
        switch self.phase {
        case .open, .closeSent:
            self.context?.close(promise: nil)
        case .lingering:
            self.closeIfWritten()
        case .closed:
            break
        }
    }

    /// All is said; closes when it is written too.
    ///
    /// A server closes first, its own direction only: closing all of it while the peer still sends would reset the
    /// connection, and with it our Close frame.
    func closeIfWritten() {
        guard self.phase == .lingering, self.connection.outbox.unsentBytes == 0 else { return }
        if self.isInputClosed {
            self.context?.close(promise: nil)
        } else if self.role == .server {
            self.context?.close(mode: .output, promise: nil)
        }
    }

    /// Notes that the TCP connection is closed.
    func end() {
        guard self.phase != .closed else { return }
        self.phase = .closed
        self.closeTimer?.cancel()
        self.closeTimer = nil
        self.writeTimer?.cancel()
        self.writeTimer = nil
        self.liveness.stop()
        self.connection.ended()
    }

    private func linger() {
        self.phase = .lingering
        self.scheduleClose()
        self.flush()
        self.closeIfWritten()
        self.context?.read()
    }

    /// Gives the rest of the close `closeTimeout`, once.
    private func scheduleClose() {
        guard self.closeTimer == nil, let context else { return }
        let loop = context.eventLoop.assumeIsolated()
        self.closeTimer = loop.scheduleTask(in: TimeAmount(self.configuration.closeTimeout)) {
            self.context?.close(promise: nil)
        }
    }
}
