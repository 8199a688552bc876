import Domain
import Store

@testable import Store

/// What keeps the streams filled, as `Dispatcher` does; the choice among tenants is free.
extension Simulation {
    func beginPromote(on process: SimulatedProcess) {
        process.begin("promote") {
            guard let due = try self.ledger.nextDue(), due <= self.clock.now else { return .done }
            let count = try self.write(.relaxed) { try $0.promote(limit: 1 + self.random.below(4)) }
            guard count > 0 else { throw Violation("something was due at \(due), and nothing was queued") }
            return .done
        }
    }

    func beginFill(on process: SimulatedProcess) {
        process.begin("fill the window") {
            let window = 1 + self.random.below(6)
            let chosen = try self.write(.relaxed) { ledger -> [JobID] in
                let room = window - (try ledger.load(heartbeatWithin: Self.lease)).dispatched
                guard room > 0, try !ledger.isPaused() else { return [] }
                return try self.choose(room, from: ledger)
            }
            for id in chosen where self.watch.rows[id]?.state != .dispatched {
                throw Violation("\(id) was ready and is not dispatched")
            }
            return chosen.isEmpty ? .done : self.put(chosen)
        }
    }

    private func choose(_ room: Int, from ledger: Ledger) throws -> [JobID] {
        var chosen: [JobID] = []
        for tenant in try ledger.readyTenants().shuffled(using: &self.random) {
            let ofTenant = try Self.runningMax[tenant].map { max(0, $0 - (try ledger.active(of: tenant))) } ?? room
            var ready: [JobID] = []
            for priority in JobPriority.allCases.shuffled(using: &self.random) {
                ready += try ledger.ready(of: tenant, priority, limit: room)
            }
            guard !ready.isEmpty else { throw Violation("\(tenant) is ready, and none of its jobs is") }
            for id in ready.prefix(min(ofTenant, room - chosen.count)) {
                try ledger.dispatch(id)
                chosen.append(id)
            }
        }
        return chosen
    }

    private func put(_ ids: [JobID]) -> Progress {
        .next("put \(ids) on the streams") {
            for id in ids {
                // The connection may break in the middle.
                if self.isStormy, self.random.oneIn(20) { throw SimulatedRedis.Away() }
                try self.redis.add(id)
                // Or its answer is lost, and somebody sends it again.
                if self.isStormy, self.random.oneIn(8) { try self.redis.add(id) }
            }
            return .done
        }
    }

    func beginRedispatch(on process: SimulatedProcess) {
        process.begin("redispatch") {
            let load = try self.ledger.load(heartbeatWithin: Self.lease)
            guard load.dispatched > 0, try self.redis.count() < load.dispatched else { return .done }
            let stale = try self.write(.relaxed) {
                try $0.redispatch(olderThan: Self.redispatchAfter, limit: Self.batchMax)
            }
            return stale.isEmpty ? .done : self.put(stale.map(\.id))
        }
    }
}
