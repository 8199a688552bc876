import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(1))) struct ReconnectBackoffTests {
    /// Many first-to-last waits of a fresh backoff: the n-th entry holds all waits after n + 1 failures, in ms.
    private func waits(failures: Int) -> [[Double]] {
        var random = SplitMix(state: 42)
        var waits = Array(repeating: [Double](), count: failures)
        for _ in 0..<2000 {
            var backoff = ReconnectBackoff()
            for index in 0..<failures { waits[index].append(backoff.next(using: &random) / .milliseconds(1)) }
        }
        return waits
    }

    @Test func `the jitter is full, under a ceiling that doubles from 100 ms to 5 s`() throws {
        let ceilings = [100.0, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]
        for (waits, ceiling) in zip(self.waits(failures: ceilings.count), ceilings) {
            let shortest = try #require(waits.min())
            let longest = try #require(waits.max())
            #expect(shortest >= 0 && shortest < ceiling * 0.05)
            #expect(longest <= ceiling && longest > ceiling * 0.95)
        }
    }

    @Test func `the ceiling stays where it is after any number of failures`() {
        var backoff = ReconnectBackoff()
        var random = SplitMix(state: 1)
        for _ in 0..<10_000 { #expect(backoff.next(using: &random) <= .seconds(5)) }
    }

    @Test func `a proven connection begins again`() {
        var backoff = ReconnectBackoff()
        var random = SplitMix(state: 2)
        for _ in 0..<100 { _ = backoff.next(using: &random) }
        backoff.reset()
        #expect(backoff.next(using: &random) <= .milliseconds(100))
    }
}
