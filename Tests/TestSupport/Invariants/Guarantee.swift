/// The promises of docs/guarantees.md that a run can break.
package enum Guarantee: String, Sendable, CaseIterable, Codable {
    case accepted = "G1"
    case oneEnd = "G2"
    case order = "G3"
    case fenced = "G4"
    case redisLoss = "G5"
    case sameText = "G6"
    case notAgain = "G7"
    case cancelFinal = "G8"
    case restartFree = "G9"
    case bounded = "G10"

    /// In a few words.
    package var title: String {
        switch self {
        case .accepted: "what was accepted is there and ends"
        case .oneEnd: "a job ends once, the same for all"
        case .order: "a conversation goes in order, one at a time"
        case .fenced: "who lost a lease changes nothing"
        case .redisLoss: "Redis may lose everything"
        case .sameText: "who comes back ends with the same text"
        case .notAgain: "what is journaled is not done again"
        case .cancelFinal: "an answered cancel is final"
        case .restartFree: "a restart costs no attempt"
        case .bounded: "memory stays bounded"
        }
    }
}
