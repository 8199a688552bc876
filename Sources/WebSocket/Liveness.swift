import NIOCore

/// Whether the peer still shows signs of life: any byte from it counts as the answer to a ping.
struct Liveness {
    /// Pings in a row that may stay without an answer.
    private static let missedMax = 2
    private var hasHeard = false
    private var isPingOut = false
    private var missed = 0
    private var timer: Scheduled<Void>?

    mutating func heard() {
        self.hasHeard = true
    }

    mutating func wait(with timer: Scheduled<Void>) {
        self.timer = timer
    }

    mutating func stop() {
        self.timer?.cancel()
        self.timer = nil
    }

    /// One interval is over; false when the peer must be taken for dead, else a ping is due.
    mutating func tick() -> Bool {
        self.missed = self.isPingOut && !self.hasHeard ? self.missed + 1 : 0
        self.hasHeard = false
        self.isPingOut = true
        return self.missed < Self.missedMax
    }
}
