import Domain
import Foundation
import Store
import TestSupport
import Testing

/// A disk with no room left for the database.
@Suite(.serialized, .timeLimit(.minutes(4)), .enabled(if: SmallDisk.isPossible, "needs root to mount a small disk"))
struct FullDiskTests {
    private static let prompt = "[[tokens=200 delay=10ms]]"

    @Test func `a full disk refuses messages, and loses none that was accepted`() async throws {
        try await withSmallDisk(megabytes: 16) { disk in
            let file = disk.folder.appendingPathComponent("penguin.db")
            try await withFleet(variables: ["PENGUIN_DATABASE": file.path]) { fleet in
                let web = try await fleet.startWeb()
                try await web.answer(to: "[[tokens=3]]", in: "before").expect(tokens(3))
                try await web.chat { chat in
                    let job = try await chat.say(Self.prompt, in: "running")
                    let waiting = try await chat.say("[[tokens=4]]", in: "running")
                    try await chat.wait(for: job) { $0.text.contains("tok20 ") }
                    try await disk.fill()
                    let accepted = try await Self.postUntilRefused(at: web)
                    try await eventually(within: .seconds(60), "the model has said everything") {
                        fleet.provider.counters.answersLive == 0
                    }
                    // No worker can beat, and that is told.
                    try await eventually(within: .seconds(60), "the server is not ready") {
                        try await web.http().get("/readyz").status == 503
                    }
                    #expect(try await web.http().get("/livez").status == 200)
                    #expect(chat.transcript(of: job).terminal == nil, "it ended though its end cannot be stored")
                    try disk.free()
                    try await chat.end(of: job, within: .seconds(60)).expect(tokens(200))
                    try await chat.end(of: waiting, within: .seconds(60)).expect(tokens(4))
                    for job in accepted { try await web.job(job, is: .completed) }
                    // Of what was refused there is nothing.
                    #expect(try await web.jobs().count == 3 + accepted.count)
                    #expect(try await web.http().get("/api/v1/conversations/refused").status == 404)
                }
                #expect(try await web.history(of: "before") == [.user("[[tokens=3]]"), .assistant(tokens(3))])
                #expect(
                    try await web.history(of: "running") == [
                        .user(Self.prompt), .assistant(tokens(200)), .user("[[tokens=4]]"), .assistant(tokens(4)),
                    ]
                )
                try await web.answer(to: "[[tokens=5]]", in: "after").expect(tokens(5))
                #expect(try await web.http().get("/readyz").status == 200)
                web.process.terminate()
                #expect(try await web.process.waitForExit(within: .seconds(60)) == 0)
                #expect(try await Self.integrity(of: file) == "ok")
            }
        }
    }

    /// Posts until the disk has no room, in what is left of a page or two, and returns what was accepted.
    private static func postUntilRefused(at web: WebServer) async throws -> [JobID] {
        var accepted: [JobID] = []
        var refused: HTTPProbe.Reply?
        try await eventually(within: .seconds(60), "a message is refused") {
            let reply = try await web.post("[[tokens=1]]", in: "accepted")
            if reply.status == 202 { accepted.append(try WebServer.job(in: reply)) } else { refused = reply }
            return refused != nil
        }
        #expect(refused?.status == 503, "\(refused?.text ?? "")")
        #expect(refused?.json?["error"]?["retryable"] == .bool(true))
        let wait = try #require(refused?.headers["retry-after"].flatMap { Int($0) })
        #expect((1...60).contains(wait))
        let second = try await web.post("[[tokens=1]]", in: "refused")
        #expect(second.status == 503, "\(second.text)")
        return accepted
    }

    private static func integrity(of file: URL) async throws -> String? {
        let database = try SQLiteDatabase(file: file)
        let answer = try await database.read { connection in
            try connection.row("PRAGMA integrity_check", []) { $0.text(0) }
        }
        try database.close()
        return answer ?? nil
    }
}
