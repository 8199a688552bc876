import Domain
import Store
import Testing

extension QueryPlanTests {
    @Test(arguments: [false, true])
    func `lists read along an index of the tenant, and those of few jobs along an index of these`(
        analysed: Bool
    ) async throws {
        try await self.withHistory(analysed: analysed) { store in
            let lists: [(JobFilter, String)] = [
                (JobFilter(), "jobs_tenant (tenant=? AND id<?)"),
                (JobFilter(conversationID: "c"), "jobs_conversation (tenant=? AND conversation_id=? AND id<?)"),
                (JobFilter(states: [.failed, .dead]), "jobs_failed (tenant=? AND id<?)"),
                (JobFilter(states: [.dead]), "jobs_failed (tenant=? AND id<?)"),
            ]
            for (filter, index) in lists {
                let list = try await self.plans(of: store) {
                    _ = try Ledger($0).list(filter, of: .default, before: "x", limit: 5)
                }
                self.expect(list, use: [index])
                let retriable = try await self.plans(of: store) {
                    _ = try Ledger($0).retriable(filter, of: .default, limit: 5)
                }
                self.expect(
                    retriable,
                    use: [filter.conversationID == nil ? "jobs_failed (tenant=?)" : "jobs_conversation"]
                )
            }
            // Sorted, as they are few: better than the whole history in its order.
            let few: [(JobFilter, String)] = [
                (JobFilter(states: [.running]), "jobs_open (tenant=? AND state=?)"),
                (JobFilter(states: [.queued, .scheduled]), "jobs_open (tenant=? AND state=?)"),
                (JobFilter(parentID: "p"), "jobs_children (parent_id=?)"),
            ]
            for (filter, index) in few {
                let list = try await self.plans(of: store) {
                    _ = try Ledger($0).list(filter, of: .default, before: "x", limit: 5)
                }
                #expect(list.filter { $0.contains("jobs") }.allSatisfy { $0.contains(index) }, "\(list)")
            }
        }
    }

    @Test(arguments: [false, true])
    func `positions, children and the figures of what is open meet only what they count`(analysed: Bool) async throws {
        try await self.withHistory(analysed: analysed) { store in
            let position = try await self.plans(of: store) { connection throws in
                #expect(try Ledger(connection).position(of: "j2", countingTo: 100) == 1)
            }
            self.expect(
                position,
                use: ["jobs_lane (lane=? AND lane_position>? AND lane_position<?)", "INDEX jobs_ready"]
            )
            let children = try await self.plans(of: store) { _ = try Ledger($0).childStates(of: "p", limit: 5) }
            self.expect(children, use: ["jobs_children (parent_id=?)"])
            let turns = try await self.plans(of: store) { _ = try Ledger($0).turnsDone(of: "j1") }
            self.expect(turns, use: ["sqlite_autoindex_steps_1 (job_id=?)"])
            let open = try await self.plans(of: store) { _ = try Ledger($0).openFigures(of: .default) }
            self.expect(open, use: ["jobs_open (tenant=?)"])
            let lately = try await self.plans(of: store) {
                _ = try Ledger($0).endedCount(within: .seconds(60), of: nil)
                _ = try Ledger($0).endedCount(within: .seconds(60), of: .default)
            }
            self.expect(lately, use: ["jobs_finished (finished_at>?)"])
            #expect(lately.allSatisfy { $0.contains("jobs_finished") }, "\(lately)")
        }
    }
}
