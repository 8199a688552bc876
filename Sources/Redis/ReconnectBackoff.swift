/// How long to wait before the next connection attempt: full jitter under a doubling ceiling.
///
/// The ceiling starts at 100 ms and ends at 5 s, so that clients of a restarted server do not come back in step.
struct ReconnectBackoff: Sendable {
    var first: Duration = .milliseconds(100)
    var ceilingMax: Duration = .seconds(5)
    /// Failed attempts since the last `reset()`.
    private(set) var failures = 0

    /// The wait after one more failure: uniform in 0 … min(5 s, 100 ms · 2ⁿ).
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        // 2^16 · 100 ms is far above any ceiling, and the shift cannot overflow.
        let ceiling = min(self.ceilingMax, self.first * (1 << min(self.failures, 16)))
        self.failures += 1
        return ceiling * Double.random(in: 0...1, using: &generator)
    }

    /// The connection has proved itself: the next loss starts again at 100 ms.
    mutating func reset() {
        self.failures = 0
    }
}
