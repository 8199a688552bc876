import Domain
import TestSupport
import Testing

/// A wall clock that is set by an hour while everything runs.
@Suite(.serialized, .timeLimit(.minutes(4)))
struct ClockStepTests {
    enum Step: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case forwards, backwards

        var ahead: Duration { self == .forwards ? .seconds(3600) : .seconds(-3600) }
        var testDescription: String { self.rawValue }
    }

    private static let prompt = "[[tokens=200 delay=10ms]]"
    private static let answer = tokens(200)

    @Test(arguments: Step.allCases)
    func `an answer comes whole and once though the clock steps in its middle`(_ step: Step) async throws {
        try await Self.withClock { fleet, clock, web in
            _ = try await fleet.startWorker(seenBy: web, variables: clock.variables)
            let seen = try await web.chat { chat in
                let job = try await chat.say(Self.prompt, in: "step")
                let seen = try await chat.wait(for: job) { $0.text.contains("tok40 ") }
                try clock.set(ahead: step.ahead)
                try await chat.end(of: job, within: .seconds(60)).expect(Self.answer)
                // The next one of the conversation is for whoever lives in the new time.
                let next = try await chat.say("[[tokens=3]]", in: "step")
                try await chat.end(of: next, within: .seconds(60)).expect(tokens(3))
                return seen
            }
            try await web.follow(seen).expect(Self.answer)
            try await web.follow(ChatTranscript(seen.jobID)).expect(Self.answer)
            #expect(
                try await web.history(of: "step") == [
                    .user(Self.prompt), .assistant(Self.answer), .user("[[tokens=3]]"), .assistant(tokens(3)),
                ]
            )
        }
    }

    @Test(arguments: Step.allCases)
    func `a worker killed as the clock steps is replaced within seconds, under a higher epoch`(
        _ step: Step
    ) async throws {
        try await Self.withClock { fleet, clock, web in
            let victim = try await fleet.startWorker(seenBy: web, variables: clock.variables)
            try await web.chat { chat in
                let job = try await chat.say(Self.prompt, in: "step")
                let seen = try await chat.wait(for: job) { $0.text.contains("tok40 ") }
                // It never beats in the new time.
                try await victim.kill()
                try clock.set(ahead: step.ahead)
                _ = try await fleet.launch(.worker, variables: clock.variables)
                let end = try await chat.end(of: job, within: .seconds(60))
                end.expect(Self.answer)
                #expect(end.cursor.epoch > seen.cursor.epoch)
                let row = try await web.job(job)
                #expect(row["attempt"] == .integer(2))
                #expect(row["lost"] == .integer(1))
            }
        }
    }

    @Test func `after a step back a cancel is obeyed, by a worker that listens and for one that does not`()
        async throws
    {
        let times = ["PENGUIN_CANCEL_GRACE_SECONDS": "1"]
        try await Self.withClock(times) { fleet, clock, web in
            let worker = try await fleet.startWorker(seenBy: web, variables: clock.variables)
            try await web.chat { chat in
                let heard = try await chat.say("[[hang=2]]")
                let deaf = try await chat.say("[[hang=2]]")
                for job in [heard, deaf] { try await chat.wait(for: job) { $0.text.contains("tok1 ") } }
                try clock.set(ahead: Step.backwards.ahead)
                // 200 when its worker was quicker than the answer.
                #expect([200, 202].contains(try await web.change("POST", "/jobs/\(heard)/cancel").status))
                #expect(try await chat.end(of: heard, within: .seconds(60)).terminal?.event == .cancelled)
                worker.pause()
                #expect(try await web.change("POST", "/jobs/\(deaf)/cancel").status == 202)
                // What was asked for before the step counts too.
                try clock.set(ahead: Step.backwards.ahead * 2)
                _ = try await fleet.launch(.worker, variables: clock.variables)
                try await web.job(deaf, is: .cancelled)
                #expect(try await chat.end(of: deaf).terminal?.event == .cancelled)
                worker.resume()
            }
        }
    }

    @Test(arguments: Step.allCases)
    func `a job that Redis lost is dispatched again though the clock stepped`(_ step: Step) async throws {
        try await Self.withClock { fleet, clock, web in
            let redis = try #require(fleet.redis)
            let job = try await web.accept("[[tokens=3]]", in: "lost")
            try await web.job(job, is: .dispatched)
            try clock.set(ahead: step.ahead)
            _ = try await redis.command("FLUSHALL")
            _ = try await fleet.launch(.worker, variables: clock.variables)
            try await web.job(job, is: .completed)
            #expect(try await web.history(of: "lost") == [.user("[[tokens=3]]"), .assistant(tokens(3))])
        }
    }

    @Test func `a delayed message is due when the wall clock says so`() async throws {
        try await Self.withClock { fleet, clock, web in
            _ = try await fleet.startWorker(seenBy: web, variables: clock.variables)
            let job = try await web.accept("[[tokens=3]]", in: "later", ["delay_seconds": .integer(1800)])
            #expect(try await web.job(job)["state"]?.string == JobState.scheduled.rawValue)
            try clock.set(ahead: Step.forwards.ahead)
            try await web.job(job, is: .completed)
        }
    }

    private static func withClock(
        _ variables: [String: String] = [:],
        _ body: (Fleet, WallClock, WebServer) async throws -> Void
    ) async throws {
        try await withFleet(hasRedis: true, variables: variables) { fleet in
            let clock = try await WallClock(in: fleet.home)
            let web = try await fleet.startWeb("--workers", "0", variables: clock.variables)
            try await body(fleet, clock, web)
        }
    }
}
