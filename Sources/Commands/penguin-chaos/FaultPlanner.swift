/// Plans what goes wrong.
struct FaultPlanner {
    /// How often one that is about many at once waits until all are well: it would never have its turn otherwise.
    private static let patiencePercent = 30

    let shape: ChaosShape

    /// One about every `faultEvery`; two at once on one victim never.
    func faults(_ generator: inout SeededGenerator) -> [PlannedFault] {
        let kinds = FaultKind.allCases.filter { self.shape.kinds.contains($0.rawValue) }
        guard !kinds.isEmpty else { return [] }
        var faults: [PlannedFault] = []
        var at = self.shape.faultEvery / 2
        while at < self.shape.milliseconds {
            if let fault = self.fault(at: at, kinds, besides: faults, &generator) {
                faults.append(fault)
                at = fault.at
            }
            at += generator.pick(self.shape.faultEvery / 2...self.shape.faultEvery * 3 / 2)
        }
        return faults.filter { $0.at < self.shape.milliseconds }
    }

    /// Nil when everything that was picked is already being mistreated.
    private func fault(
        at: Int,
        _ kinds: [FaultKind],
        besides others: [PlannedFault],
        _ generator: inout SeededGenerator
    ) -> PlannedFault? {
        for _ in 0..<8 {
            let kind = generator.pick(of: kinds)
            let fault = PlannedFault(
                at: at,
                kind: kind,
                victim: generator.pick(below: kind.isAboutWorkers ? self.shape.workers : self.shape.webs),
                lasting: generator.pick(kind.lasting(leaseMilliseconds: self.shape.lease))
            )
            let victims = fault.victims(in: self.shape)
            let free =
                others.filter { !$0.victims(in: self.shape).isDisjoint(with: victims) }
                .map { $0.at + $0.lasting + $0.kind.recovery }.max() ?? 0
            if free < at { return fault }
            if victims.count > 1, generator.happens(percent: Self.patiencePercent) {
                return fault.postponed(to: free + 1)
            }
        }
        return nil
    }
}

extension PlannedFault {
    fileprivate func postponed(to time: Int) -> PlannedFault {
        PlannedFault(at: time, kind: self.kind, victim: self.victim, lasting: self.lasting)
    }
}

extension FaultKind {
    fileprivate var isAboutWorkers: Bool { self == .workerKill || self == .workerSleep }

    /// How long its victims take to be back, in milliseconds.
    fileprivate var recovery: Int {
        switch self {
        case .rollingRestart, .allKill: 6000
        default: 1500
        }
    }
}
