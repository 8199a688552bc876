import Domain
import Engine
import Events
import Synchronization

/// The jobs that run here, and how many more may.
final class RunningJobs: Sendable {
    private let slotsMax: Int
    private let controls = Mutex<[JobID: RunControl]>([:])
    private let slotFreed = WakeUp()

    init(slotsMax: Int) {
        self.slotsMax = slotsMax
    }

    var count: Int { self.controls.withLock { $0.count } }
    var freeSlots: Int { max(0, self.slotsMax - self.count) }

    func enter(_ job: JobID, _ control: RunControl) {
        self.controls.withLock { $0[job] = control }
    }

    func leave(_ job: JobID) {
        self.controls.withLock { _ = $0.removeValue(forKey: job) }
        self.slotFreed.call()
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
