/// How one guarantee did in a run.
package struct GuaranteeResult: Sendable, Codable, Equatable {
    /// How many violations are kept as examples.
    static let examplesMax = 20

    package let guarantee: Guarantee
    /// Facts that were looked at.
    package fileprivate(set) var checks = 0
    package fileprivate(set) var violations = 0
    /// Deviations that docs/guarantees.md allows for.
    package fileprivate(set) var allowances = 0
    package fileprivate(set) var examples: [String] = []
    /// Of allowances.
    package fileprivate(set) var allowed: [String] = []

    init(_ guarantee: Guarantee) {
        self.guarantee = guarantee
    }

    mutating func check(_ isKept: Bool, _ example: () -> String) {
        self.checks += 1
        guard !isKept else { return }
        self.violations += 1
        if self.examples.count < Self.examplesMax { self.examples.append(example()) }
    }

    mutating func allow(_ example: () -> String) {
        self.checks += 1
        self.allowances += 1
        if self.allowed.count < Self.examplesMax { self.allowed.append(example()) }
    }
}
