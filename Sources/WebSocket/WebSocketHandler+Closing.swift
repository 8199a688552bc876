import NIOCore

extension WebSocketHandler {
    /// How long the reader may take for what came before the peer's close.
    private static let settlingTime = TimeAmount.seconds(1)

    /// Begins a close of ours; the peer's own close, when there is one, goes before it.
    func close(code: WebSocketCloseCode, reason: String) {
        if self.phase == .settling { self.settle() }
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
        self.settle(with: ClosePayload(code: close.code), code: close.code ?? .noCode)
    }

    /// Fails the connection: says why, and takes nothing more.
    ///
    /// RFC 6455, section 7.1.7.
    func fail(_ failure: WebSocketFailure) {
        self.settle(with: ClosePayload(code: failure.code, reason: failure.reason), code: failure.code)
    }

    /// Sends the last Close frame once the reader has answered the messages before it, and at most a second later.
    private func settle(with answer: ClosePayload, code: WebSocketCloseCode) {
        guard self.phase == .open else { return self.linger() }
        self.phase = .settling
        self.settlement = (answer, code)
        let loop = self.connection.eventLoop
        self.connection.inbox.whenRead { [handler = self.box] in
            loop.execute { handler.value?.settle() }
        }
        guard let context else { return }
        self.settlingTimer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.settlingTime) { self.settle() }
    }

    private func settle() {
        guard self.phase == .settling, let (answer, code) = self.settlement else { return }
        self.settlement = nil
        self.settlingTimer?.cancel()
        self.connection.outbox.close(answer.bytes)
        self.connection.closing(with: code)
        self.linger()
    }

    /// The peer has closed its side of TCP and everything it sent has been looked at.
    func inputEnded() {
        switch self.phase {
        case .open, .closeSent:
            self.context?.close(promise: nil)
        case .lingering:
            self.closeIfWritten()
        case .settling, .closed:
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
        for timer in [self.closeTimer, self.settlingTimer, self.writeTimer] { timer?.cancel() }
        self.closeTimer = nil
        self.settlingTimer = nil
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
