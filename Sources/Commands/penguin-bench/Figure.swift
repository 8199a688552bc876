/// One result, with what it could be and what it should be.
struct Figure: Encodable, Sendable {
    /// What the machine, or a part of the path alone, did in the same run.
    struct Ceiling: Encodable, Sendable {
        let what: String
        let value: Double
    }

    /// The bound that the value has to keep.
    enum Target: Sendable {
        case atLeast(Double)
        case atMost(Double)

        func isKept(by value: Double) -> Bool {
            switch self {
            case .atLeast(let bound): value >= bound
            case .atMost(let bound): value <= bound
            }
        }
    }

    /// A stable name for programs, such as `stream.64`.
    let name: String
    /// The same for people.
    let title: String
    let unit: String
    /// The median of the runs.
    let value: Double
    var runs: [Double] = []
    /// The first one is the nearest; `ratio` is the value's part of it.
    var ceilings: [Ceiling] = []
    var target: Target?
    /// CPU seconds of each process in one run, on average.
    var cpuSeconds: [String: Double] = [:]
    /// Further facts by name.
    var details: [String: Double] = [:]
    /// What was wrong with each answer that was wrong.
    var faults: [String] = []

    /// The figure that many runs make.
    init(_ name: String, _ title: String, unit: String, runs: [Double]) {
        self.name = name
        self.title = title
        self.unit = unit
        self.value = Samples(runs).median
        self.runs = runs
    }

    var ratio: Double? {
        guard let ceiling = self.ceilings.first, ceiling.value > 0 else { return nil }
        return self.value / ceiling.value
    }

    /// Nil without a target.
    var isKept: Bool? {
        self.target.map { $0.isKept(by: self.value) && self.faults.isEmpty }
    }

    /// Different faults, the most frequent first, with how often there was each; the first few.
    var faultSummary: [String] {
        let counts = Dictionary(self.faults.map { ($0, 1) }, uniquingKeysWith: +)
        let shown = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.faultsShownMax)
        return shown.map { $0.value == 1 ? $0.key : "\($0.value) times: \($0.key)" }
    }

    private static let faultsShownMax = 5

    enum CodingKeys: String, CodingKey {
        case name, title, unit, value, runs, ceilings, ratio, target
        case isKept = "ok"
        case cpuSeconds = "cpu_seconds"
        case details, faults
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.name, forKey: .name)
        try container.encode(self.title, forKey: .title)
        try container.encode(self.unit, forKey: .unit)
        try container.encode(self.value, forKey: .value)
        try container.encode(self.runs, forKey: .runs)
        try container.encode(self.ceilings, forKey: .ceilings)
        try container.encodeIfPresent(self.ratio, forKey: .ratio)
        try container.encodeIfPresent(self.target, forKey: .target)
        try container.encodeIfPresent(self.isKept, forKey: .isKept)
        try container.encode(self.cpuSeconds, forKey: .cpuSeconds)
        try container.encode(self.details, forKey: .details)
        try container.encode(self.faultSummary, forKey: .faults)
    }
}

extension Figure.Target: Encodable {
    enum CodingKeys: String, CodingKey {
        case atLeast = "at_least"
        case atMost = "at_most"
    }

    /// `{"at_least": 20000}` or `{"at_most": 5}`.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .atLeast(let bound): try container.encode(bound, forKey: .atLeast)
        case .atMost(let bound): try container.encode(bound, forKey: .atMost)
        }
    }
}
