/// A fault of a plan.
struct PlannedFault: Sendable, Equatable, CustomStringConvertible {
    /// Milliseconds after the load's begin.
    let at: Int
    let kind: FaultKind
    /// Which worker or web process, counted from 0; without a meaning for other kinds.
    let victim: Int
    /// Milliseconds.
    let lasting: Int

    var description: String {
        let victim =
            switch self.kind {
            case .workerKill, .workerSleep, .webKill, .webRestart, .webSleep: " \(self.victim)"
            default: ""
            }
        return "\(Self.seconds(self.at)) \(self.kind.rawValue)\(victim), \(Self.seconds(self.lasting))"
    }

    private static func seconds(_ milliseconds: Int) -> String {
        "\(milliseconds / 1000).\((milliseconds % 1000) / 100) s"
    }
}
