import Domain
import Foundation
import Store
import TestSupport
import Testing

/// A workflow of several messages whose processes die.
@Suite(.serialized, .timeLimit(.minutes(4)))
struct WorkflowFaultTests {
    enum Victims: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case worker, everything

        var testDescription: String { self.rawValue }
    }

    private static let children = 4
    private static let delays = [20, 5, 15, 10]

    /// Of different lengths, so that they end in another order than they began.
    private static func prompt(_ index: Int) -> String { "part \(index) [[tokens=100 delay=\(self.delays[index])ms]]" }

    @Test(arguments: Victims.allCases)
    func `a workflow whose processes are killed completes, with its results in order and no child doubled`(
        _ victims: Victims
    ) async throws {
        try await withFleet(hasRedis: true) { fleet in
            var web = try await fleet.startWeb("--workers", "0")
            var worker = try await fleet.startWorker(seenBy: web)
            let id = try await Self.submit(to: fleet)
            let family = try await Self.children(of: id, at: web) { states in
                states.count == Self.children && states.allSatisfy { $0 == "running" }
            }
            // Once in the middle of the children, and once when the first of them have ended and the parent waits on.
            for ended in [0, 2] {
                try await Self.children(of: id, at: web) { $0.count { $0 == "completed" } >= ended }
                #expect(try await web.job(id)["state"]?.string == JobState.waiting.rawValue)
                try await worker.kill()
                if victims == .everything {
                    try await web.process.kill()
                    try await fleet.redis?.restart()
                    web = try await fleet.startWeb("--workers", "0")
                }
                worker = try await fleet.startWorker(seenBy: web)
            }
            try await Self.expectWhole(id, with: family, at: web)
        }
    }

    @Test func `a workflow that is cancelled while it waits ends with its children, and nothing comes after`()
        async throws
    {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            _ = try await fleet.startWorker(seenBy: web)
            let id = try await Self.submit(to: fleet)
            let family = try await Self.children(of: id, at: web) { states in
                states.count == Self.children && states.allSatisfy { $0 == "running" }
            }
            let reply = try await web.change("POST", "/jobs/\(id)/cancel")
            #expect(reply.status == 200, "\(reply.text)")
            #expect(reply.json?["state"]?.string == JobState.cancelled.rawValue, "\(reply.text)")
            let events = try await web.events(of: id)
            for child in family { try await web.job(child, is: .cancelled) }
            try await eventually(within: .seconds(60), "nothing is asked any more") {
                fleet.provider.counters.answersLive == 0
            }
            #expect(events.last == "cancelled")
            #expect(try await web.events(of: id) == events)
            for child in family {
                let events = try await web.events(of: child)
                #expect(events.last == "cancelled")
                #expect(events.count { $0 == "cancelled" } == 1)
            }
            #expect(try await web.job(id)["state"]?.string == JobState.cancelled.rawValue)
            #expect(try await web.jobs().count == 1 + Self.children)
        }
    }

    /// Puts a workflow into the ledger as a process of the same server would; the dispatcher of `penguin-web` finds it.
    private static func submit(to fleet: Fleet) async throws -> JobID {
        let id = JobID()
        let messages = (0..<Self.children).map { index in
            ChatPayload(
                text: Self.prompt(index),
                conversationID: ConversationID(rawValue: "part\(index)"),
                userMessageID: MessageID(rawValue: "\(id).\(index).user"),
                answerID: MessageID(rawValue: "\(id).\(index).answer")
            )
        }
        let payload = try JSON.text(WorkflowPayload(messages: messages))
        let database = try SQLiteDatabase(file: fleet.home.appendingPathComponent("penguin.db"))
        let job = NewJob(id: id, kind: .workflow, tenant: .default, payload: payload)
        let submission = try await database.write(.durable) { try Ledger($0).submit(job, hasRoom: false) }
        try database.close()
        #expect(submission == .accepted(.queued))
        return id
    }

    /// The children once their states are as wanted, in their order.
    @discardableResult
    private static func children(
        of id: JobID,
        at web: WebServer,
        are condition: ([String]) -> Bool
    ) async throws -> [JobID] {
        var children: [JSONValue] = []
        try await eventually(within: .seconds(60), "the children of \(id) are as far as that") {
            guard case .array(let found)? = try await web.job(id)["children"] else { return false }
            children = found
            return condition(found.compactMap { $0["state"]?.string })
        }
        return children.compactMap { $0["job_id"]?.string.map { JobID(rawValue: $0) } }
    }

    private static func expectWhole(_ id: JobID, with family: [JobID], at web: WebServer) async throws {
        let parent = try await web.job(id, is: .completed, within: .seconds(90))
        guard case .array(let results)? = parent["result"]?["results"] else {
            throw NotInTime(description: "no results: \(parent)")
        }
        #expect(results.map { $0["job_id"]?.string } == family.map(\.rawValue))
        #expect(results.map { $0["response"]?.string } == family.map { _ in tokens(100) })
        #expect(try await web.jobs().count == 1 + Self.children)
        for index in 0..<Self.children {
            #expect(
                try await web.history(of: "part\(index)") == [.user(Self.prompt(index)), .assistant(tokens(100))]
            )
        }
        for job in [id] + family {
            let events = try await web.events(of: job)
            #expect(events.last == "complete" && events.count { $0 == "complete" } == 1, "\(job): \(events)")
        }
    }
}
