/// One local subscription to one channel; it ends with `cancel()` or when nobody holds it any more.
package final class RedisSubscription: Sendable {
    package let channel: String
    private let hook: CancellationHook

    init(channel: String, onCancel: @escaping @Sendable () -> Void) {
        self.channel = channel
        self.hook = CancellationHook()
        self.hook.arm(onCancel)
    }

    deinit {
        self.hook.cancel()
    }

    /// Stops the events; a call of `receive` that has begun on the event loop may still be running when this returns.
    ///
    /// The last subscription of a channel takes the server's with it. Safe to call more than once.
    package func cancel() {
        self.hook.cancel()
    }
}
