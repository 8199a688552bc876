import Domain
import Synchronization
import TestSupport

/// What clients were promised and saw, and what was done to the server meanwhile.
final class ClientJournal: Sendable {
    private struct State {
        var accepted: [AcceptedMessage] = []
        var sent: Set<String> = []
        var cancels: [AnsweredCancel] = []
        var followers: [ObservedFollower] = []
        var faults: [FaultWindow] = []
        var refusals: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// Noted before a text is sent: there may be a job for it from now on.
    func sends(_ text: String) { self.state.withLock { _ = $0.sent.insert(text) } }

    func add(_ message: AcceptedMessage) { self.state.withLock { $0.accepted.append(message) } }

    func add(_ cancel: AnsweredCancel) { self.state.withLock { $0.cancels.append(cancel) } }

    func add(_ follower: ObservedFollower) { self.state.withLock { $0.followers.append(follower) } }

    func add(_ fault: FaultWindow) { self.state.withLock { $0.faults.append(fault) } }

    func addRefusal(_ why: String) { self.state.withLock { $0.refusals[why, default: 0] += 1 } }

    /// Why messages were not accepted, and how often.
    var refusals: [String: Int] { self.state.withLock { $0.refusals } }

    var accepted: [AcceptedMessage] { self.state.withLock { $0.accepted } }

    /// Followers that have seen the end.
    var ended: Int { self.state.withLock { $0.followers.count { $0.transcript.terminal != nil } } }

    /// The clients' part of a record.
    func fill(_ record: inout RunRecord) {
        self.state.withLock { state in
            record.accepted = state.accepted
            record.unconfirmed = state.sent.subtracting(state.accepted.map(\.text))
            record.cancels = state.cancels
            record.followers = state.followers
            record.faults = state.faults
        }
    }
}
