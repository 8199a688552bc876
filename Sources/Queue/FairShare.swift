import Domain
import Store

/// Chooses the next jobs among tenants by start-time fair queueing, and within a tenant by priority.
///
/// Each tenant has a virtual time, the end of its last service; a job's service lasts `1 / weight`. Whoever's service would
/// begin first is served, and the clock stands at that beginning. A tenant that comes back begins at the clock: idling
/// earns nothing. A value without I/O; the dispatcher fills it from the ledger and writes back what it says.
struct FairShare {
    /// A tenant with jobs to dispatch.
    struct Tenant {
        let id: TenantID
        var weight: Double
        /// When its last service ended, in virtual time.
        var virtualTime: Double
        /// Jobs that may still be dispatched under its cap.
        var room: Int
        /// Its jobs chosen so far, over the passes of a process.
        var turn = 0
        /// Its jobs by priority, oldest first.
        var ready: [JobPriority: ArraySlice<JobID>]

        fileprivate var isServable: Bool { self.room > 0 && self.ready.values.contains { !$0.isEmpty } }
    }

    /// Every so many jobs of a tenant the lowest priority comes first, so that it is never starved.
    static let lowFirstEvery = 10

    private(set) var tenants: [Tenant]
    private(set) var clock: Double

    init(_ tenants: [Tenant], clock: Double) {
        self.tenants = tenants
        self.clock = clock
    }

    /// The next job; nil when none is left, or all are under their caps.
    mutating func next() -> Dispatch? {
        guard
            let index = self.tenants.indices.filter({ self.tenants[$0].isServable }).min(by: { left, right in
                self.start(of: left) < self.start(of: right)
            })
        else { return nil }
        let start = self.start(of: index)
        // Counted for each tenant: with one count for all, tenants that take turns would always have the same ones.
        self.tenants[index].turn += 1
        let isLowFirst = self.tenants[index].turn % Self.lowFirstEvery == 0
        let order = isLowFirst ? JobPriority.allCases.reversed() : JobPriority.allCases
        for priority in order {
            guard let id = self.tenants[index].ready[priority]?.popFirst() else { continue }
            self.clock = start
            self.tenants[index].virtualTime = start + 1 / self.tenants[index].weight
            self.tenants[index].room -= 1
            return Dispatch(id: id, priority: priority)
        }
        return nil
    }

    /// When the next service of a tenant would begin.
    private func start(of index: Int) -> Double { max(self.clock, self.tenants[index].virtualTime) }
}

extension FairShare {
    /// Marks up to `limit` jobs as dispatched and returns them in their order.
    ///
    /// `turns` counts on the jobs of each tenant; one that has nothing to dispatch begins anew.
    static func dispatch(
        _ limit: Int,
        from ledger: Ledger,
        under configuration: QueueConfiguration,
        turns: inout [TenantID: Int]
    ) throws -> [Dispatch] {
        let ready = try ledger.readyTenants()
        guard !ready.isEmpty, limit > 0 else { return [] }
        // Alone, a tenant competes with nobody, and its time stands still.
        let isContended = ready.count > 1
        let times = isContended ? try ledger.virtualTimes(of: ready) : [:]
        var shares = FairShare(
            try ready.map { tenant in
                let share = configuration.share(of: tenant)
                let room = try share.runningMax.map { max(0, $0 - (try ledger.active(of: tenant))) } ?? limit
                return Tenant(
                    id: tenant,
                    weight: share.weight,
                    virtualTime: times[tenant] ?? 0,
                    room: room,
                    turn: turns[tenant] ?? 0,
                    ready: try ledger.ready(of: tenant, limit: min(limit, room))
                )
            },
            clock: isContended ? try ledger.virtualClock() : 0
        )
        var dispatches: [Dispatch] = []
        while dispatches.count < limit, let dispatch = shares.next() {
            try ledger.dispatch(dispatch.id)
            dispatches.append(dispatch)
        }
        turns = Dictionary(uniqueKeysWithValues: shares.tenants.map { ($0.id, $0.turn) })
        if isContended, !dispatches.isEmpty {
            try ledger.setVirtualClock(shares.clock)
            try ledger.setVirtualTimes(
                Dictionary(uniqueKeysWithValues: shares.tenants.map { ($0.id, $0.virtualTime) })
                    .filter { times[$0.key] != $0.value }
            )
        }
        return dispatches
    }
}

extension Ledger {
    fileprivate func ready(of tenant: TenantID, limit: Int) throws -> [JobPriority: ArraySlice<JobID>] {
        guard limit > 0 else { return [:] }
        var ready: [JobPriority: ArraySlice<JobID>] = [:]
        for priority in JobPriority.allCases {
            ready[priority] = try self.ready(of: tenant, priority, limit: limit)[...]
        }
        return ready
    }
}
