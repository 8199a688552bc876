import Domain
import Store
import Testing

@testable import Queue

/// The choice among tenants, without ledger or clock.
@Suite(.timeLimit(.minutes(1)))
struct FairShareTests {
    private static func tenant(
        _ id: TenantID,
        weight: Double = 1,
        at virtualTime: Double = 0,
        room: Int = .max,
        high: Int = 0,
        jobs: Int = 0,
        low: Int = 0
    ) -> FairShare.Tenant {
        func ids(_ priority: JobPriority, _ count: Int) -> ArraySlice<JobID> {
            (0..<count).map { JobID(rawValue: "\(id) \(priority.name) \($0)") }[...]
        }
        return FairShare.Tenant(
            id: id,
            weight: weight,
            virtualTime: virtualTime,
            room: room,
            ready: [.high: ids(.high, high), .default: ids(.default, jobs), .low: ids(.low, low)]
        )
    }

    private static func tenant(of dispatch: Dispatch) -> String {
        String(dispatch.id.rawValue.prefix { $0 != " " })
    }

    /// The tenants of the next jobs, at most `count`.
    private static func picks(_ count: Int, of shares: inout FairShare) -> [String] {
        var picks: [String] = []
        while picks.count < count, let next = shares.next() { picks.append(Self.tenant(of: next)) }
        return picks
    }

    private static func counts(_ picks: some Sequence<String>) -> [String: Int] {
        picks.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    // MARK: Weights

    @Test(arguments: [[1.0, 1], [1, 2, 5], [0.5, 1.5], [10, 0.1], [3, 3, 3, 1]])
    func `over thousands of jobs each tenant has exactly its weight's part`(_ weights: [Double]) {
        let total = 10_100
        var shares = FairShare(
            weights.enumerated().map { Self.tenant(TenantID(rawValue: "t\($0)"), weight: $1, jobs: total) },
            clock: 0
        )
        let counts = Self.counts(Self.picks(total, of: &shares))
        let sum = weights.reduce(0, +)
        for (index, weight) in weights.enumerated() {
            let due = Double(total) * weight / sum
            #expect(abs(Double(counts["t\(index)"] ?? 0) - due) <= 1.01, "tenant \(index)")
        }
    }

    @Test func `no tenant is ever ahead of another by more than a job of each`() {
        let weights: [Double] = [1, 2, 5]
        var shares = FairShare(
            weights.enumerated().map { Self.tenant(TenantID(rawValue: "t\($0)"), weight: $1, jobs: 4000) },
            clock: 0
        )
        var service = weights.map { _ in 0.0 }
        for _ in 0..<4000 {
            guard let next = shares.next(), let index = Int(Self.tenant(of: next).dropFirst()) else { return }
            service[index] += 1 / weights[index]
            for one in weights.indices {
                for two in weights.indices {
                    let bound = 1 / weights[one] + 1 / weights[two]
                    #expect(service[one] - service[two] <= bound + 0.000_001)
                }
            }
        }
    }

    @Test func `a tenant with nothing left leaves its part to the others`() {
        var shares = FairShare([Self.tenant("a", weight: 9, jobs: 3), Self.tenant("b", jobs: 100)], clock: 0)
        let picks = Self.picks(200, of: &shares)
        #expect(Self.counts(picks) == ["a": 3, "b": 100])
        #expect(shares.next() == nil)
    }

    // MARK: Coming and going

    @Test func `a newcomer begins at the clock, and not with all that it has missed`() {
        var shares = FairShare(
            [Self.tenant("old", at: 1000, jobs: 1000), Self.tenant("new", jobs: 1000)],
            clock: 999
        )
        let counts = Self.counts(Self.picks(100, of: &shares))
        #expect(counts == ["old": 50, "new": 50])
    }

    @Test func `idling earns nothing: who comes back has no more than who stayed`() {
        var shares = FairShare([Self.tenant("a", jobs: 500), Self.tenant("b", jobs: 3)], clock: 0)
        _ = Self.picks(503, of: &shares)
        let times = Dictionary(uniqueKeysWithValues: shares.tenants.map { ($0.id, $0.virtualTime) })
        var later = FairShare(
            ["a", "b"].map { id in Self.tenant(id, at: times[id] ?? 0, jobs: 500) },
            clock: shares.clock
        )
        let counts = Self.counts(Self.picks(100, of: &later))
        #expect(counts["a"].map { (49...51).contains($0) } == true)
    }

    @Test func `the clock never goes back`() {
        var shares = FairShare(
            [Self.tenant("a", at: 7, jobs: 50), Self.tenant("b", weight: 0.1, jobs: 50)],
            clock: 3
        )
        var clock = shares.clock
        while shares.next() != nil {
            #expect(shares.clock >= clock)
            clock = shares.clock
        }
        #expect(clock > 50)
    }

    // MARK: Caps

    @Test func `a cap bounds a tenant, and the others have what it cannot take`() {
        var shares = FairShare(
            [Self.tenant("a", weight: 100, room: 3, jobs: 50), Self.tenant("b", jobs: 50)],
            clock: 0
        )
        #expect(Self.counts(Self.picks(20, of: &shares)) == ["a": 3, "b": 17])
    }

    @Test func `with everybody at the cap nothing is chosen`() {
        var shares = FairShare([Self.tenant("a", room: 0, jobs: 5), Self.tenant("b", room: 1, jobs: 5)], clock: 0)
        #expect(Self.picks(9, of: &shares) == ["b"])
        #expect(shares.tenants.first?.virtualTime == 0)
    }

    // MARK: Priorities

    @Test func `inside a tenant the urgent come first, and of one priority the oldest`() {
        var shares = FairShare([Self.tenant("a", high: 2, jobs: 2, low: 2)], clock: 0)
        var order: [String] = []
        while let next = shares.next() { order.append(next.id.rawValue) }
        #expect(order == ["a high 0", "a high 1", "a default 0", "a default 1", "a low 0", "a low 1"])
    }

    @Test func `a tenant's urgent jobs take nothing from another's part`() {
        var shares = FairShare([Self.tenant("a", high: 500), Self.tenant("b", low: 500)], clock: 0)
        #expect(Self.counts(Self.picks(200, of: &shares)) == ["a": 100, "b": 100])
    }

    @Test(arguments: 1...12)
    func `every tenth job of a tenant is a low one, however many tenants take turns`(_ tenants: Int) {
        let each = 200
        var shares = FairShare(
            (0..<tenants).map { Self.tenant(TenantID(rawValue: "t\($0)"), high: each, low: each) },
            clock: 0
        )
        var low: [String: Int] = [:]
        for _ in 0..<(each * tenants) {
            guard let next = shares.next() else { break }
            if next.priority == .low { low[Self.tenant(of: next), default: 0] += 1 }
        }
        for index in 0..<tenants { #expect(low["t\(index)"] == each / FairShare.lowFirstEvery) }
    }
}
