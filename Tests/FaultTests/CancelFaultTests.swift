import Domain
import TestSupport
import Testing

/// Cancels of jobs whose worker cannot hear of them.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct CancelFaultTests {
    @Test func `a cancelled job ends though its worker died and there is no other`() async throws {
        let times = ["PENGUIN_CANCEL_GRACE_SECONDS": "4"]
        try await withFleet(hasRedis: true, variables: times) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            let worker = try await fleet.startWorker(seenBy: web)
            try await web.chat { chat in
                let job = try await chat.say("[[tokens=10 delay=5ms hang=8]]", in: "cancel")
                try await chat.wait(for: job) { $0.text.contains("tok7 ") }
                try await worker.kill()
                #expect(try await web.change("POST", "/jobs/\(job)/cancel").status == 202)
                // Lease 2 s, grace 4 s, a reaper's round, and time for a busy machine.
                try await web.job(job, is: .cancelled, within: .seconds(20))
                #expect(try await chat.end(of: job).terminal?.event == .cancelled)
                #expect(fleet.provider.counters.requests == 1)
            }
        }
    }
}
