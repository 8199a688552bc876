/// How large a run is; everything else of its plan comes from the seed.
struct ChaosShape: Sendable, Equatable, Codable {
    var seed: UInt64 = 1
    var jobs = 2000
    var milliseconds = 600_000
    var workers = 3
    var webs = 2
    var conversations = 200
    /// Milliseconds between two faults, on the average.
    var faultEvery = 4000
    /// The kinds to choose from.
    var kinds = FaultKind.allCases.map(\.rawValue)
    /// How long a worker without a heartbeat keeps its jobs, in milliseconds.
    var lease = 3000

    /// A conversation belongs to the tenant of its number modulo so many.
    static let tenants = ["anna", "boris", "chiara"]
}
