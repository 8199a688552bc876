import Domain
import TestSupport
import Testing

/// Processes that die without a word.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct CrashTests {
    private static let prompt = "[[tokens=250 delay=10ms]]"
    private static let answer = tokens(250)

    @Test func `a server killed in the middle of an answer finishes it after its restart`() async throws {
        try await withFleet { fleet in
            let first = try await fleet.startWeb()
            let seen = try await first.chat { chat in
                let job = try await chat.say(Self.prompt, in: "crash")
                let seen = try await chat.wait(for: job) { $0.text.contains("tok50 ") }
                try await first.process.kill()
                return seen
            }
            let second = try await fleet.startWeb()
            #expect(try await second.history(of: "crash") == [.user(Self.prompt)])

            async let fromCursor = second.follow(seen)
            async let fromStart = second.follow(ChatTranscript(seen.jobID))
            try await fromCursor.expect(Self.answer)
            try await fromStart.expect(Self.answer)

            #expect(try await second.history(of: "crash") == [.user(Self.prompt), .assistant(Self.answer)])
            let job = try await second.job(seen.jobID)
            #expect(job["state"]?.string == "completed")
            #expect(job["lost"] == .integer(1))
        }
    }

    @Test func `a message accepted just before the server is killed is answered after its restart`() async throws {
        try await withFleet { fleet in
            let first = try await fleet.startWeb()
            let jobs = try await first.chat { chat in
                var jobs: [JobID] = []
                for index in 0..<8 { try await chat.submit("[[tokens=5]] \(index)", in: "c\(index)") }
                for _ in 0..<8 { jobs.append(try await chat.nextStarted()) }
                try await first.process.kill()
                return jobs
            }
            let second = try await fleet.startWeb()
            for (index, job) in jobs.enumerated() {
                try await second.follow(ChatTranscript(job)).expect(tokens(5))
                let history = try await second.history(of: "c\(index)")
                #expect(history == [.user("[[tokens=5]] \(index)"), .assistant(tokens(5))])
            }
        }
    }

    @Test func `a worker killed in the middle of an answer is replaced within its lease`() async throws {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            let victim = try await fleet.startWorker(seenBy: web)
            try await web.chat { chat in
                let job = try await chat.say(Self.prompt, in: "crash")
                try await chat.wait(for: job) { $0.text.contains("tok50 ") }
                // Starts while the job runs, so it is the first that has it.
                _ = try await fleet.startWorker(seenBy: web)
                #expect(chat.transcript(of: job).terminal == nil, "the job was over before its worker was killed")
                try await victim.kill()
                // Lease 2 s, search every 0.5 s, and some time for a busy machine.
                try await eventually(within: .seconds(7), "another worker has the job") {
                    try await web.job(job)["attempt"] == .integer(2)
                }
                let end = try await chat.end(of: job)
                end.expect(Self.answer)
                #expect(end.count(of: .truncate) == 1)
            }
            #expect(try await web.history(of: "crash") == [.user(Self.prompt), .assistant(Self.answer)])
        }
    }

    @Test func `a message that kills its workers becomes an error and the next one is answered`() async throws {
        try await withFleet(hasRedis: true, variables: ["PENGUIN_LOST_MAX": "1"]) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            try await web.chat { chat in
                var worker = try await fleet.startWorker(seenBy: web)
                let job = try await chat.say("[[tokens=5 hang=3]]", in: "poison")
                try await chat.submit("[[tokens=3]]", in: "poison")
                for lost in 1...2 {
                    try await eventually(within: .seconds(10), "worker \(lost) has the job") {
                        fleet.provider.counters.requests == lost
                    }
                    let next = lost == 1 ? try await fleet.startWorker(seenBy: web) : worker
                    try await worker.kill()
                    worker = next
                }
                #expect(try await chat.end(of: job).errorCode == "lost")
                #expect(try await web.job(job)["state"]?.string == "dead")
                _ = try await fleet.launch(.worker)
                let next = try await chat.nextStarted()
                try await chat.end(of: next).expect(tokens(3))
            }
        }
    }

    @Test func `both processes killed at once lose nothing`() async throws {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            let worker = try await fleet.startWorker(seenBy: web)
            let seen = try await web.chat { chat in
                let job = try await chat.say(Self.prompt, in: "crash")
                let seen = try await chat.wait(for: job) { $0.text.contains("tok20 ") }
                async let one: Void = web.process.kill()
                async let two: Void = worker.kill()
                _ = try await (one, two)
                return seen
            }
            let second = try await fleet.startWeb("--workers", "0")
            _ = try await fleet.launch(.worker)
            try await second.follow(seen).expect(Self.answer)
            #expect(try await second.history(of: "crash") == [.user(Self.prompt), .assistant(Self.answer)])
        }
    }
}
