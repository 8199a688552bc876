import Domain
import Engine
import Events
import Store
import Synchronization

/// The jobs that run here, and how many more may.
final class RunningJobs: Sendable {
    private let slotsMax: Int
    private let controls = Mutex<[JobID: RunControl]>([:])
    private let past = Mutex<(finished: Int, runTime: Duration)>((0, .zero))
    private let slotFreed = WakeUp()

    init(slotsMax: Int) {
        self.slotsMax = slotsMax
    }

    var count: Int { self.controls.withLock { $0.count } }
    var freeSlots: Int { max(0, self.slotsMax - self.count) }

    func enter(_ job: JobID, _ control: RunControl) {
        self.controls.withLock { $0[job] = control }
    }

    func leave(_ job: JobID, after runTime: Duration) {
        self.past.withLock { past in
            past.finished += 1
            past.runTime += runTime
        }
        self.controls.withLock { _ = $0.removeValue(forKey: job) }
        self.slotFreed.call()
    }

    /// What the worker says of itself.
    var figures: WorkerFigures {
        let past = self.past.withLock { $0 }
        return WorkerFigures(running: self.count, finished: past.finished, runTime: past.runTime)
    }

    /// Waits until a slot may be free, at most a second.
    func waitForSlot() async {
        await self.slotFreed.wait(within: .seconds(1))
    }

    /// Lets a waiter look again.
    func poke() { self.slotFreed.call() }

    func interrupt(_ job: JobID, _ reason: Interruption) {
        self.controls.withLock { $0[job] }?.interrupt(reason)
    }

    func interruptAll(_ reason: Interruption) {
        for control in self.controls.withLock({ Array($0.values) }) { control.interrupt(reason) }
    }
}
