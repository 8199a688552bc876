import CoreMetrics
import Synchronization

/// Somebody who is asked for figures at every scrape, and who may be late, fail, or never come back.
///
/// There is at most one reading at a time: whoever asks meanwhile gets its answer too. One that is late is cancelled
/// and left out at once, until it has come back.
final class ScrapeSource: Sendable {
    private typealias Waiter = CheckedContinuation<[MetricSample], Never>

    private enum State {
        case idle
        case reading(number: Int, waiters: [Waiter])
        case overdue
    }

    /// What a new waiter has to do.
    private enum Order {
        case begin(number: Int)
        case wait
        case leaveOut
    }

    private struct Readings {
        var state = State.idle
        /// How many were begun; the number of a reading.
        var begun = 0
    }

    private let readings = Mutex(Readings())
    private let failures: any CounterHandler
    private let read: @Sendable () async throws -> [MetricSample]

    init(failures: any CounterHandler, read: @escaping @Sendable () async throws -> [MetricSample]) {
        self.failures = failures
        self.read = read
    }

    /// Empty, and counted as a failure, when there is no answer within the limit.
    func samples(within limit: Duration) async -> [MetricSample] {
        await withCheckedContinuation { waiter in
            switch self.readings.withLock({ Self.join(&$0, waiter) }) {
            case .begin(let number): self.begin(number, within: limit)
            case .wait: break
            case .leaveOut: self.leaveOut([waiter])
            }
        }
    }

    private static func join(_ readings: inout Readings, _ waiter: Waiter) -> Order {
        switch readings.state {
        case .idle:
            readings.begun += 1
            readings.state = .reading(number: readings.begun, waiters: [waiter])
            return .begin(number: readings.begun)
        case .reading(let number, let waiters):
            readings.state = .reading(number: number, waiters: waiters + [waiter])
            return .wait
        case .overdue:
            return .leaveOut
        }
    }

    /// Starts the reading and its clock.
    ///
    /// Nobody awaits these tasks, nor does a group, which would wait for a reading that never ends. The first ends with
    /// the reading, the second with it or at the limit, and the third with the first.
    private func begin(_ number: Int, within limit: Duration) {
        let reading = Task { try await self.read() }
        let timer = Task {
            try await Task.sleep(for: limit)
            reading.cancel()
            self.giveUp(number)
        }
        Task {
            let result = await reading.result
            timer.cancel()
            self.end(with: result)
        }
    }

    private func giveUp(_ number: Int) {
        let waiters = self.readings.withLock { readings -> [Waiter] in
            // It may have ended in this moment, and the next one may have begun.
            guard case .reading(number, let waiters) = readings.state else { return [] }
            readings.state = .overdue
            return waiters
        }
        self.leaveOut(waiters)
    }

    private func end(with result: Result<[MetricSample], any Error>) {
        let waiters = self.readings.withLock { readings -> [Waiter] in
            defer { readings.state = .idle }
            guard case .reading(_, let waiters) = readings.state else { return [] }
            return waiters
        }
        guard case .success(let samples) = result else { return self.leaveOut(waiters) }
        for waiter in waiters { waiter.resume(returning: samples) }
    }

    private func leaveOut(_ waiters: [Waiter]) {
        for waiter in waiters {
            self.failures.increment(by: 1)
            waiter.resume(returning: [])
        }
    }
}
