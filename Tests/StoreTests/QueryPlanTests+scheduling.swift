import Domain
import Store
import Testing

extension QueryPlanTests {
    /// Gives a third of the ended jobs a parent, another third an idempotency key, and makes some of other tenants.
    private func withScheduling(analysed: Bool, _ body: (TestStore) async throws -> Void) async throws {
        try await self.withHistory(analysed: false) { store in
            try await store.execute(
                "UPDATE jobs SET parent_id = 'old-1', child_step = 0, child_index = rowid WHERE rowid % 3 = 0"
            )
            try await store.execute("UPDATE jobs SET idempotency_key = id WHERE rowid % 3 = 1")
            try await store.execute(
                "UPDATE jobs SET tenant = 't' || (rowid % 50), state = 'failed' WHERE rowid % 7 = 0"
            )
            if analysed { try await store.execute("ANALYZE") }
            try await body(store)
        }
    }

    @Test(arguments: [false, true])
    func `each tenant that is ready is found by a seek, and its jobs in their order`(analysed: Bool) async throws {
        try await self.withScheduling(analysed: analysed) { store in
            for number in 0..<20 {
                try await store.submit(JobID(rawValue: "r\(number)"), tenant: TenantID(rawValue: "t\(number % 4)"))
                store.clock.advance(by: .milliseconds(1))
            }
            let tenants = try await self.plans(of: store) { _ = try Ledger($0).readyTenants() }
            self.expect(tenants, use: ["jobs_ready (tenant>?)"])
            #expect(!tenants.contains { $0.contains("TEMP B-TREE") }, "\(tenants)")
            let ready = try await self.plans(of: store) { connection throws in
                #expect(try Ledger(connection).ready(of: "t1", .default, limit: 3) == ["r1", "r5", "r9"])
            }
            self.expect(ready, use: ["jobs_ready (tenant=? AND priority=?)"])
            let active = try await self.plans(of: store) { _ = try Ledger($0).active(of: "t1") }
            self.expect(active, use: ["jobs_open (tenant=? AND state=?)"])
            let dispatch = try await self.plans(of: store) { connection in
                try Ledger(connection).dispatch("r1")
                try Ledger(connection).undispatch(["r1"])
            }
            self.expect(dispatch, use: ["sqlite_autoindex_jobs_1 (id=?)"])
        }
    }

    @Test(arguments: [false, true])
    func `virtual times and switches are found by their keys`(analysed: Bool) async throws {
        try await self.withScheduling(analysed: analysed) { store in
            let times = try await self.plans(of: store) { connection in
                let ledger = Ledger(connection)
                try ledger.setVirtualTimes(["t1": 1])
                _ = try ledger.virtualTimes(of: ["t1"])
            }
            self.expect(times, use: ["sqlite_autoindex_tenants_1 (id=?)"])
            let paused = try await self.plans(of: store) { _ = try Ledger($0).isPaused() }
            self.expect(paused, use: ["sqlite_autoindex_switches_1 (name=?)"])
            let pause = try await self.plans(of: store) { try Ledger($0).setPaused(true) }
            self.expect(pause, use: ["INDEX jobs_dispatched"])
        }
    }

    @Test(arguments: [false, true])
    func `what is due is found by its time, and its lane by the lane's index`(analysed: Bool) async throws {
        try await self.withScheduling(analysed: analysed) { store in
            try await store.submit("later", lane: "c", after: .seconds(1))
            store.clock.advance(by: .seconds(2))
            let due = try await self.plans(of: store) { _ = try Ledger($0).nextDue() }
            self.expect(due, use: ["INDEX jobs_scheduled"])
            let promote = try await self.plans(of: store) { connection throws in
                #expect(try Ledger(connection).promote(limit: 9) == 1)
            }
            self.expect(promote, use: ["jobs_scheduled (run_at<?)", "jobs_lane (lane=?"])
            let job = try await store.run("j1")
            let retry = try await self.plans(of: store) {
                let failure = JobFailure(code: "odd", message: "Odd.", retryable: true)
                try Ledger($0).retry("j1", epoch: job.epoch, at: $0.now, after: failure)
            }
            self.expect(retry, use: ["sqlite_autoindex_jobs_1 (id=?)"])
        }
    }

    @Test(arguments: [false, true])
    func `a submit with a key and a parent looks up both`(analysed: Bool) async throws {
        try await self.withScheduling(analysed: analysed) { store in
            for key in ["new", "old-4"] {
                let plans = try await self.plans(of: store) { connection in
                    let job = NewJob.noop(
                        JobID(rawValue: key + "-job"),
                        lane: "c",
                        parent: .init(id: "j1", step: 0, index: 0),
                        idempotency: .init(key: key, bodyHash: "h")
                    )
                    _ = try Ledger(connection).submit(job, hasRoom: true, laneMax: 9)
                }
                self.expect(plans, use: ["jobs_idempotency (tenant=? AND idempotency_key=?)"])
            }
        }
    }

    @Test(arguments: [false, true])
    func `parents find their children and children their parent`(analysed: Bool) async throws {
        try await self.withScheduling(analysed: analysed) { store in
            try await store.accept(.noop("root"))
            let root = try await store.run("root")
            let wait = try await self.plans(of: store) { connection in
                let children = ["a", "b"].map { NewJob.noop($0, parent: .init(id: "root", step: 0, index: 0)) }
                try Ledger(connection).wait("root", epoch: root.epoch, for: children, onFailure: .failParent)
            }
            self.expect(wait, use: ["jobs_open_children (parent_id=?)"])
            let children = try await self.plans(of: store) { connection throws in
                #expect(try Ledger(connection).children(of: "root").count == 2)
            }
            self.expect(children, use: ["jobs_children (parent_id=?)"])
            let failed = try await self.plans(of: store) { _ = try Ledger($0).failedParents(limit: 9) }
            self.expect(failed, use: ["INDEX jobs_waiting", "jobs_children (parent_id=?)"])
            let policy = try await self.plans(of: store) { connection throws in
                #expect(try Ledger(connection).mustFailParent(of: "root"))
            }
            self.expect(policy, use: ["sqlite_autoindex_jobs_1 (id=?)"])
            let cancel = try await self.plans(of: store) { _ = try Ledger($0).cancel("root", of: .default) }
            self.expect(cancel, use: ["jobs_open_children (parent_id=?)", "jobs_lane (lane=?"])
        }
    }

    @Test(arguments: [false, true])
    func `redrive, delete and expire find their jobs by index`(analysed: Bool) async throws {
        try await self.withScheduling(analysed: analysed) { store in
            let redrive = try await self.plans(of: store) { connection throws in
                #expect(try Ledger(connection).redrive("old-7", of: "t7"))
            }
            self.expect(redrive, use: ["jobs_lane (lane=?"])
            let delete = try await self.plans(of: store) { connection throws in
                #expect(try Ledger(connection).delete("old-4", of: .default))
            }
            self.expect(delete, use: ["jobs_children (parent_id=?)", "sqlite_autoindex_jobs_1 (id=?)"])
            let expire = try await self.plans(of: store) { connection throws in
                #expect(try Ledger(connection).expire(endedBefore: Timestamp(milliseconds: 100), limit: 50) == 50)
            }
            self.expect(expire, use: ["jobs_finished (finished_at>? AND finished_at<?)", "jobs_keyed (created_at<?)"])
        }
    }

    @Test(arguments: [false, true])
    func `the looks of the reaper at the doomed and the overdue meet only running jobs`(analysed: Bool) async throws {
        try await self.withScheduling(analysed: analysed) { store in
            let doomed = try await self.plans(of: store) {
                _ = try Ledger($0).doomed(lease: .seconds(20), lostMax: 3, limit: 9)
            }
            self.expect(doomed, use: ["INDEX jobs_running"])
            let stray = try await self.plans(of: store) { _ = try Ledger($0).strayCancels(limit: 9) }
            self.expect(stray, use: ["INDEX jobs_cancelling"])
            let announced = try await self.plans(of: store) { try Ledger($0).announced(["old-1", "old-2"]) }
            self.expect(announced, use: ["sqlite_autoindex_jobs_1 (id=?)"])
            let drain = try await self.plans(of: store) { _ = try Workers($0).requestDrain("w1") }
            self.expect(drain, use: ["sqlite_autoindex_workers_1 (id=?)"])
        }
    }
}
