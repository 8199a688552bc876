import NIOCore
import Synchronization

/// Received messages on their way from the event loop to the one task that reads them.
///
/// Bounded: `deliver` answers false when the reader lags, and `onRoom` is called once when it has caught up.
final class WebSocketInbox: Sendable {
    private struct State {
        var messages = CircularBuffer<WebSocketMessage>(initialCapacity: 1)
        var bytes = 0
        var isFull = false
        var isFinished = false
        var reader: CheckedContinuation<WebSocketMessage?, Never>?
        /// Whether the reader has taken a message and not asked for another since.
        var isReaderBusy = false
        var whenRead: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let bytesMax: Int
    private let messagesMax: Int
    private let onRoom: @Sendable () -> Void

    init(bytesMax: Int, messagesMax: Int, onRoom: @escaping @Sendable () -> Void) {
        self.bytesMax = bytesMax
        self.messagesMax = messagesMax
        self.onRoom = onRoom
    }

    /// Hands over one message; false when no more may follow until `onRoom` is called.
    func deliver(_ message: WebSocketMessage) -> Bool {
        let (reader, hasRoom) = self.state.withLock { state -> (CheckedContinuation<WebSocketMessage?, Never>?, Bool) in
            guard !state.isFinished else { return (nil, true) }
            if let reader = state.reader.take() {
                state.isReaderBusy = true
                return (reader, true)
            }
            state.messages.append(message)
            state.bytes += message.payload.readableBytes
            state.isFull = state.bytes >= self.bytesMax || state.messages.count >= self.messagesMax
            return (nil, !state.isFull)
        }
        reader?.resume(returning: message)
        return hasRoom
    }

    /// Calls back when everything delivered has been read and the reader asks for more; at once when it already has,
    /// or never read anything because nothing came.
    func whenRead(_ body: @escaping @Sendable () -> Void) {
        let isRead = self.state.withLock { state in
            let isRead = state.messages.isEmpty && !state.isReaderBusy
            if !isRead { state.whenRead = body }
            return isRead
        }
        if isRead { body() }
    }

    /// Lets the reader have what is there, and then the end.
    func finish() {
        let reader = self.state.withLock { state in
            state.isFinished = true
            return state.reader.take()
        }
        reader?.resume(returning: nil)
    }

    /// The next message; nil at the end or when the task is cancelled.
    func next() async -> WebSocketMessage? {
        if Task.isCancelled { return nil }
        switch self.poll() {
        case .message(let message): return message
        case .end: return nil
        case .nothing: break
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { self.wait($0) }
        } onCancel: {
            self.state.withLock { $0.reader.take() }?.resume(returning: nil)
        }
    }

    private enum Poll {
        case message(WebSocketMessage)
        case end
        case nothing
    }

    private func poll() -> Poll {
        let (poll, hasRoom, whenRead) = self.state.withLock { state in
            let (poll, hasRoom) = self.pop(&state)
            return (poll, hasRoom, state.isReaderBusy ? nil : state.whenRead.take())
        }
        if hasRoom { self.onRoom() }
        whenRead?()
        return poll
    }

    private func wait(_ continuation: CheckedContinuation<WebSocketMessage?, Never>) {
        // Looked at under the lock: the cancellation handler may have run before there was anything to resume.
        let (poll, hasRoom) = self.state.withLock { state in
            let (poll, hasRoom) = self.pop(&state)
            guard case .nothing = poll, !Task.isCancelled else { return (Poll?.some(poll), hasRoom) }
            precondition(state.reader == nil, "messages of a WebSocket are read by one task, not by two")
            state.reader = continuation
            return (nil, hasRoom)
        }
        if hasRoom { self.onRoom() }
        switch poll {
        case .message(let message): continuation.resume(returning: message)
        case .end, .nothing: continuation.resume(returning: nil)
        case nil: break
        }
    }

    /// What is first, and whether the sender may go on because of it.
    private func pop(_ state: inout State) -> (Poll, Bool) {
        guard let message = state.messages.popFirst() else {
            state.isReaderBusy = false
            return (state.isFinished ? .end : .nothing, false)
        }
        state.isReaderBusy = true
        state.bytes -= message.payload.readableBytes
        let hasRoom = state.bytes <= self.bytesMax / 2 && state.messages.count <= self.messagesMax / 2
        guard state.isFull, hasRoom else { return (.message(message), false) }
        state.isFull = false
        return (.message(message), true)
    }
}
