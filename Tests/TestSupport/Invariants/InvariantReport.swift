/// What a checker found.
package struct InvariantReport: Sendable, Codable, Equatable {
    private var byGuarantee: [Guarantee: GuaranteeResult] = [:]

    init() {}

    /// One of each, G1 first.
    package var results: [GuaranteeResult] {
        Guarantee.allCases.map { self.byGuarantee[$0] ?? GuaranteeResult($0) }
    }

    package var violations: Int { self.results.reduce(0) { $0 + $1.violations } }

    /// What was found about one guarantee.
    package subscript(guarantee: Guarantee) -> GuaranteeResult {
        self.byGuarantee[guarantee] ?? GuaranteeResult(guarantee)
    }

    mutating func check(_ guarantee: Guarantee, _ isKept: Bool, _ example: @autoclosure () -> String) {
        self.byGuarantee[guarantee, default: GuaranteeResult(guarantee)].check(isKept, example)
    }

    mutating func allow(_ guarantee: Guarantee, _ example: @autoclosure () -> String) {
        self.byGuarantee[guarantee, default: GuaranteeResult(guarantee)].allow(example)
    }
}
