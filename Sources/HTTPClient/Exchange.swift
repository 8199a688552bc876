import Synchronization

/// One request and its answer, shared between the task that reads and the thread that receives.
///
/// The thread puts in the head, pieces of the body and the end; the task takes them out. Whoever finds the other
/// waiting hands over directly.
final class Exchange: Sendable {
    /// Status and headers.
    struct Head: Sendable {
        var status: Int
        var headers: OutboundHeaders
    }

    /// How it ended.
    enum End: Sendable {
        case complete
        case failed(HTTPClientError)
    }

    typealias HeadResult = Result<Head, HTTPClientError>
    typealias PieceResult = Result<[UInt8]?, HTTPClientError>

    private struct State {
        /// Nil until the final answer's headers are complete.
        var head: Head?
        /// Received and not yet taken.
        var buffer: [UInt8] = []
        /// Set when a piece was refused; cleared by the reader who makes room.
        var isPaused = false
        /// Nil while the transfer runs.
        var end: End?
        var headWaiter: CheckedContinuation<HeadResult, Never>?
        var pieceWaiter: CheckedContinuation<PieceResult, Never>?

        mutating func takeWaiters() -> Waiters {
            Waiters(head: self.headWaiter.take(), piece: self.pieceWaiter.take())
        }
    }

    /// Who waits when the exchange ends; resumed outside the lock.
    private struct Waiters {
        var head: CheckedContinuation<HeadResult, Never>?
        var piece: CheckedContinuation<PieceResult, Never>?

        func resume(with end: End) {
            switch end {
            case .complete:
                self.head?.resume(returning: .failure(HTTPClientError(.protocolError, "the answer has no status")))
                self.piece?.resume(returning: .success(nil))
            case .failed(let error):
                self.head?.resume(returning: .failure(error))
                self.piece?.resume(returning: .failure(error))
            }
        }
    }

    let id: UInt64
    private let bufferBytesMax: Int
    private let inbox: CurlInbox
    private let state = Mutex(State())

    init(id: UInt64, bufferBytesMax: Int, inbox: CurlInbox) {
        self.id = id
        self.bufferBytesMax = bufferBytesMax
        self.inbox = inbox
    }
}

// MARK: The receiving thread

extension Exchange {
    func receive(_ head: Head) {
        let waiter = self.state.withLock { state -> CheckedContinuation<HeadResult, Never>? in
            state.head = head
            return state.headWaiter.take()
        }
        waiter?.resume(returning: .success(head))
    }

    /// Takes a piece of the body; false when there is no room, and then nothing was taken.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        enum Outcome {
            case kept
            case refused
            case handOver(CheckedContinuation<PieceResult, Never>)
        }
        let outcome = self.state.withLock { state -> Outcome in
            // An ended exchange swallows what still comes in until the thread has heard of its end.
            if state.end != nil { return .kept }
            if let waiter = state.pieceWaiter.take() { return .handOver(waiter) }
            if state.buffer.count >= self.bufferBytesMax {
                state.isPaused = true
                return .refused
            }
            state.buffer.append(contentsOf: bytes)
            return .kept
        }
        switch outcome {
        case .kept: return true
        case .refused: return false
        case .handOver(let waiter):
            waiter.resume(returning: .success([UInt8](bytes)))
            return true
        }
    }

    /// Ends the exchange, unless it has ended already.
    func finish(_ end: End) {
        let waiters = self.state.withLock { state -> Waiters? in
            guard state.end == nil else { return nil }
            state.end = end
            return state.takeWaiters()
        }
        waiters?.resume(with: end)
    }
}

// MARK: The reading task

extension Exchange {
    /// Waits for status and headers; the wait is bounded by the transfer's own timeouts.
    func head(isolation: isolated (any Actor)? = #isolation) async -> HeadResult {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = self.state.withLock { state -> HeadResult? in
                    if let head = state.head { return .success(head) }
                    switch state.end {
                    case .failed(let error): return .failure(error)
                    case .complete: return .failure(HTTPClientError(.protocolError, "the answer has no status"))
                    case nil: break
                    }
                    state.headWaiter = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            self.abandon()
        }
    }

    /// The next piece of the body, nil at its end.
    func nextPiece(isolation: isolated (any Actor)?) async -> PieceResult {
        if Task.isCancelled { self.abandon() }
        if let ready = self.takeReady() { return ready }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Between the look above and this one a piece may have come in.
                if let ready = self.takeReady(orWait: continuation) { continuation.resume(returning: ready) }
            }
        } onCancel: {
            self.abandon()
        }
    }

    /// Closes the transfer, unless it has ended; whoever waits gets `.cancelled`, and what was received is dropped.
    func abandon() {
        let (wasRunning, waiters) = self.state.withLock { state in
            let wasRunning = state.end == nil
            // What was received and not read is lost now: even a complete answer has no good end any more.
            if wasRunning || !state.buffer.isEmpty { state.end = .failed(.cancelled) }
            state.buffer = []
            return (wasRunning, state.takeWaiters())
        }
        waiters.resume(with: .failed(.cancelled))
        if wasRunning { self.inbox.post(.cancel(self.id)) }
    }

    /// Ends the exchange for its reader, while the transfer may run out on its own for a moment.
    func discardRest() {
        let (wasRunning, waiters) = self.state.withLock { state in
            let wasRunning = state.end == nil
            if wasRunning { state.end = .complete }
            state.buffer = []
            return (wasRunning, state.takeWaiters())
        }
        waiters.resume(with: .complete)
        if wasRunning { self.inbox.post(.discard(self.id)) }
    }

    private func takeReady(orWait waiter: CheckedContinuation<PieceResult, Never>? = nil) -> PieceResult? {
        let (ready, makesRoom) = self.state.withLock { state -> (PieceResult?, Bool) in
            if !state.buffer.isEmpty {
                let piece = state.buffer
                state.buffer = []
                let makesRoom = state.isPaused
                state.isPaused = false
                return (.success(piece), makesRoom)
            }
            switch state.end {
            case .complete: return (.success(nil), false)
            case .failed(let error): return (.failure(error), false)
            case nil:
                precondition(state.pieceWaiter == nil, "two tasks read the body of one answer")
                state.pieceWaiter = waiter
                return (nil, false)
            }
        }
        if makesRoom { self.inbox.post(.resume(self.id)) }
        return ready
    }
}
