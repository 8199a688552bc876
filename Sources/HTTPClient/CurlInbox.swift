import CCurl
import Synchronization

/// What the thread is asked to do.
enum CurlOrder: Sendable {
    case start(Exchange, OutboundRequest)
    /// The reader has made room.
    case resume(UInt64)
    case cancel(UInt64)
    /// Nobody reads any more, but the connection is worth keeping.
    case discard(UInt64)
}

/// The orders for the thread, and its wake-up.
final class CurlInbox: Sendable {
    /// What the thread finds when it looks.
    struct Mail {
        var orders: [CurlOrder]
        var mustStop: Bool
    }

    private struct State {
        var orders: [CurlOrder] = []
        var lastID: UInt64 = 0
        /// Set from the thread's start to its end.
        var multi: CurlMulti?
        /// Set by `stop`: no more orders.
        var isClosed = false
        /// Set by the thread as its last deed.
        var hasEnded = false
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func makeID() -> UInt64 {
        self.state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
    }

    /// Leaves an order; false when the client is closed.
    @discardableResult
    func post(_ order: CurlOrder) -> Bool {
        self.state.withLock { state in
            guard !state.isClosed else { return false }
            state.orders.append(order)
            // Only the first order has to wake the thread: it takes all there are. The wake-up writes one byte to a
            // non-blocking socket; under the lock, because the handle must not go away meanwhile.
            if state.orders.count == 1, let multi = state.multi { multi.wakeUp() }
            return true
        }
    }

    /// Closes the inbox, and resumes `waiter` when the thread has ended.
    func stop(_ waiter: CheckedContinuation<Void, Never>?) {
        let hasEnded = self.state.withLock { state in
            state.isClosed = true
            if let multi = state.multi { multi.wakeUp() }
            if !state.hasEnded, let waiter { state.stopWaiters.append(waiter) }
            return state.hasEnded
        }
        if hasEnded { waiter?.resume() }
    }

    func open(_ multi: CurlMulti) {
        self.state.withLock { $0.multi = multi }
    }

    func take() -> Mail {
        self.state.withLock { state in
            let orders = state.orders
            state.orders = []
            return Mail(orders: orders, mustStop: state.isClosed)
        }
    }

    /// Forgets the handle, which the thread frees next, and returns the orders nobody will follow.
    func close() -> [CurlOrder] {
        self.state.withLock { state in
            state.isClosed = true
            state.multi = nil
            let orders = state.orders
            state.orders = []
            return orders
        }
    }

    func announceEnd() {
        let waiters = self.state.withLock { state in
            state.hasEnded = true
            let waiters = state.stopWaiters
            state.stopWaiters = []
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

/// libcurl's multi handle.
///
/// Unchecked because libcurl allows exactly one call from another thread, `curl_multi_wakeup`, and `CurlInbox` makes
/// no other.
struct CurlMulti: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer

    func wakeUp() {
        _ = curl_multi_wakeup(self.handle)
    }
}
