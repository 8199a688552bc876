import Domain
import Foundation
import NIOCore
import TestSupport

/// Jobs per second that do nothing but say `ok`: how fast they are accepted, and how fast they are done.
struct JobsScenario: Scenario {
    static let name = "jobs"
    /// Connections that submit.
    private static let submitters = 32
    private static let drainMax = Duration.seconds(60)

    func run(on rig: Rig) async throws -> [Figure] {
        let count = rig.effort.pick(quick: 500, full: 2000)
        let server = try await rig.server()
        _ = try await Self.batch(of: 100, port: server.port, on: rig)
        let runs = min(rig.effort.runs, 3)
        let (batches, cpuSeconds) = try await rig.meter().measuring {
            var batches: [Batch] = []
            for _ in 0..<runs { batches.append(try await Self.batch(of: count, port: server.port, on: rig)) }
            return batches
        }
        let ceilings = try await Self.ceilings(count, on: rig)
        var submitted = Figure(
            "jobs.submitted",
            "\(count) no-op jobs, submitted",
            unit: "jobs/s",
            runs: batches.map(\.submittedPerSecond)
        )
        submitted.ceilings = [ceilings.bare]
        var drained = Figure(
            "jobs.drained",
            "\(count) no-op jobs, drained",
            unit: "jobs/s",
            runs: batches.map(\.drainedPerSecond)
        )
        drained.ceilings = [ceilings.provider]
        // Reading the states of all jobs is part of it, and cheap.
        drained.cpuSeconds = cpuSeconds.mapValues { $0 / Double(runs) }
        drained.faults = batches.flatMap(\.faults)
        return [submitted, drained]
    }

    private struct Batch {
        let submittedPerSecond: Double
        let drainedPerSecond: Double
        let faults: [String]
    }

    /// What is read of a job.
    private struct JobState: Decodable, Sendable {
        let state: Domain.JobState
        let finishedAt: Timestamp?

        enum CodingKeys: String, CodingKey {
            case state
            case finishedAt = "finished_at"
        }
    }

    private static func batch(of count: Int, port: Int, on rig: Rig) async throws -> Batch {
        let request = HTTPRequestText.message("[[say=ok]]", headers: "Prefer: respond-async\r\n")
        let requests = Countdown(count)
        let places = Collected<String>()
        let faults = Collected<String>()
        let began = Timestamp.now
        let span = try await HTTPLoad(group: rig.loop, port: port, connections: Self.submitters).run(
            next: { requests.take() ? request : nil },
            reply: { reply in
                guard reply.status == 202, let place = reply.location else {
                    return faults.add(reply.excerpt)
                }
                places.add(place)
            }
        )
        let states = try await Self.drain(places.all, port: port, on: rig)
        for state in states where state.state != .completed { faults.add("a job ended as \(state.state)") }
        // The server's clock is ours, and the last end is known to the millisecond however rarely we look.
        let ended = states.compactMap(\.finishedAt).max() ?? .now
        return Batch(
            submittedPerSecond: Double(count) / span.seconds,
            drainedPerSecond: Double(states.count) / max((ended - began).seconds, 0.001),
            faults: faults.all
        )
    }

    /// Waits until all jobs have ended, looking at the last one first so as not to disturb the others.
    private static func drain(_ places: [String], port: Int, on rig: Rig) async throws -> [JobState] {
        var open = places
        var ended: [JobState] = []
        try await eventually(within: Self.drainMax, "all jobs have ended") {
            guard let last = open.last else { return true }
            guard try await Self.read([last], port: port, on: rig)[last]?.state.isTerminal == true else { return false }
            let states = try await Self.read(open, port: port, on: rig)
            ended += states.values.filter(\.state.isTerminal)
            open = open.filter { states[$0]?.state.isTerminal != true }
            return open.isEmpty
        }
        return ended
    }

    private static func read(_ places: [String], port: Int, on rig: Rig) async throws -> [String: JobState] {
        // One connection answers in order, so the replies match the places.
        let requests = GivenOut(places.map(HTTPRequestText.get))
        let replies = Collected<HTTPReply>()
        _ = try await HTTPLoad(group: rig.loop, port: port, connections: 1).run(
            next: { requests.take() },
            reply: { replies.add($0) }
        )
        var states: [String: JobState] = [:]
        for (place, reply) in zip(places, replies.all) {
            guard reply.status == 200 else {
                throw BenchFailure("GET \(place): \(reply.excerpt)")
            }
            states[place] = try JSON.decode(JobState.self, from: Data(reply.body.readableBytesView))
        }
        return states
    }

    /// A route that does nothing, asked by as many connections; and the provider asked as often without Penguin.
    private static func ceilings(
        _ count: Int,
        on rig: Rig
    ) async throws -> (bare: Figure.Ceiling, provider: Figure.Ceiling) {
        let bare = try await rig.bareServer()
        let rate = try await RequestRate.measure(
            HTTPRequestText.get("/livez"),
            count: count * 4,
            port: bare.port,
            connections: Self.submitters,
            on: rig
        )
        let provider = try await rig.provider()
        let alone = try await RequestRate.measure(
            HTTPRequestText.completion("[[say=ok]]"),
            count: count * 2,
            port: provider.port,
            connections: Self.submitters,
            on: rig
        )
        return (
            .init(what: "bare route", value: rate.perSecond), .init(what: "provider alone", value: alone.perSecond)
        )
    }
}
