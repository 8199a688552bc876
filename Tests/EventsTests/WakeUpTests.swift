import Events
import Synchronization
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct WakeUpTests {
    @Test func `a call that comes while nobody waits is kept`() async {
        let wakeUp = WakeUp()
        wakeUp.call()
        await wakeUp.wait()
    }

    @Test func `several calls are one`() async {
        let wakeUp = WakeUp()
        for _ in 0..<3 { wakeUp.call() }
        await wakeUp.wait()
        let start = ContinuousClock.now
        await wakeUp.wait(within: .milliseconds(30))
        #expect(start.duration(to: .now) >= .milliseconds(30))
    }

    @Test func `a waiter is woken by a call`() async {
        let wakeUp = WakeUp()
        async let waited: Void = wakeUp.wait(within: .seconds(30))
        await Task.yield()
        wakeUp.call()
        let start = ContinuousClock.now
        await waited
        #expect(start.duration(to: .now) < .seconds(10))
    }

    @Test func `a wait ends at its deadline, also one that is over already`() async {
        let wakeUp = WakeUp()
        for limit in [Duration.milliseconds(5), .zero, .milliseconds(-5)] { await wakeUp.wait(within: limit) }
    }

    @Test func `a wait ends with its task, also with one that is cancelled already`() async throws {
        let wakeUp = WakeUp()
        let hasBegun = Mutex(false)
        let task = Task {
            hasBegun.withLock { $0 = true }
            await wakeUp.wait()
            await wakeUp.wait()
        }
        try await eventually(within: .seconds(30), "the task runs") { hasBegun.withLock { $0 } }
        task.cancel()
        await task.value
    }

    @Test func `the deadline of one wait does not end the next`() async {
        let wakeUp = WakeUp()
        wakeUp.call()
        await wakeUp.wait(within: .milliseconds(10))
        let start = ContinuousClock.now
        await wakeUp.wait(within: .milliseconds(60))
        #expect(start.duration(to: .now) >= .milliseconds(60))
    }

    @Test func `no deadline is missed, however short`() async {
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    let wakeUp = WakeUp()
                    for round in 0..<5000 { await wakeUp.wait(within: .nanoseconds(round % 3 - 1)) }
                }
            }
        }
    }

    @Test func `no call is lost between two tasks that wake each other`() async {
        let ping = WakeUp()
        let pong = WakeUp()
        async let other: Void = {
            for _ in 0..<20_000 {
                await ping.wait()
                pong.call()
            }
        }()
        for _ in 0..<20_000 {
            ping.call()
            await pong.wait()
        }
        await other
    }
}
