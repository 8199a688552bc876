import Foundation
import TestSupport
import Testing

/// What keeps a program from starting is said on stderr, in words that help, and it ends with a code that is not 0.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct StartUpTests {
    @Test func `a port that is taken is named`() async throws {
        try await withFleet { fleet in
            let web = try await fleet.startWeb()
            let other = try await fleet.launch(
                .web,
                variables: ["PORT": "\(web.port)", "PENGUIN_HOME": fleet.home.path + "/other"]
            )
            try await Self.expectRefusal(of: other, saying: ["Port \(web.port)", "is taken", "PORT="])
            #expect(try await web.http().get("/readyz").status == 200)
        }
    }

    @Test func `a data folder that is taken is named and its owner not disturbed`() async throws {
        try await withFleet { fleet in
            let web = try await fleet.startWeb()
            let other = try await fleet.launch(.web)
            try await Self.expectRefusal(of: other, saying: ["Another Penguin", fleet.home.path, "PENGUIN_HOME="])
            try await web.answer(to: "[[tokens=3]]").expect(tokens(3))
        }
    }

    @Test func `a missing redis-server is named with what to do`() async throws {
        try await withFleet { fleet in
            let web = try await fleet.launch(.web, variables: ["PATH": "/nowhere"])
            try await Self.expectRefusal(of: web, saying: ["redis-server is not installed", "REDIS_URL="])
        }
    }

    @Test func `an open address without keys is refused`() async throws {
        try await withFleet { fleet in
            let web = try await fleet.launch(.web, variables: ["HOST": "0.0.0.0"])
            try await Self.expectRefusal(of: web, saying: ["0.0.0.0", "PENGUIN_API_KEYS"])
        }
    }

    @Test(arguments: [
        (["PORT": "http"], "PORT"), (["REDIS_URL": "localhost"], "REDIS_URL"),
        (["PENGUIN_HOME": "/dev/null/penguin"], "/dev/null/penguin"),
        (["PENGUIN_API_KEYS": "short"], "PENGUIN_API_KEYS"),
        (["PENGUIN_HEARTBEAT_SECONDS": "1.5"], "PENGUIN_HEARTBEAT_SECONDS"),
        (["PENGUIN_DEFAULT_MODEL": "nonsense"], "nonsense"),
    ])
    func `a setting that cannot be used is named`(_ variables: [String: String], _ word: String) async throws {
        try await withFleet { fleet in
            let web = try await fleet.launch(.web, variables: variables)
            try await Self.expectRefusal(of: web, saying: [word])
        }
    }

    @Test func `a worker without a Redis is told that it needs one`() async throws {
        try await withFleet { fleet in
            let worker = try await fleet.launch(.worker)
            try await Self.expectRefusal(of: worker, saying: ["REDIS_URL"])
        }
    }

    @Test func `a Redis that may throw away events is refused`() async throws {
        try await withRedis(arguments: ["--maxmemory-policy", "allkeys-lru"]) { redis in
            try await withFleet { fleet in
                let web = try await fleet.launch(.web, variables: ["REDIS_URL": redis.url])
                try await Self.expectRefusal(of: web, saying: ["noeviction"])
            }
        }
    }

    @Test func `a Redis that dies under the server ends it with its name`() async throws {
        try await withFleet { fleet in
            let web = try await fleet.startWeb()
            let redis = try #require(try Self.redis(in: fleet.home))
            // Alive: it answers for the server above, so the pid is its own.
            kill(redis, SIGKILL)
            try await Self.expectRefusal(of: web.process, saying: ["redis-server"])
        }
    }

    /// The pid that the embedded Redis wrote into its log: `123:M 01 Jan …`.
    private static func redis(in home: URL) throws -> Int32? {
        let log = try String(contentsOf: home.appendingPathComponent("redis.log"), encoding: .utf8)
        return log.matches(of: #/(\d+):M /#).last.flatMap { Int32($0.1) }
    }

    private static func expectRefusal(of process: PenguinProcess, saying words: [String]) async throws {
        let code = try await process.waitForExit(within: .seconds(15))
        let errors = process.errors
        #expect((1..<128).contains(code), "it ended with \(code): \(errors)")
        for word in words { #expect(errors.contains(word), "'\(word)' is not in: \(errors)") }
        // For people: a sentence at the end, not the description of a Swift value.
        let last = errors.split(separator: "\n").last { $0.hasPrefix("Error: ") }
        let sentence = try #require(last, "\(errors)")
        #expect(!sentence.dropFirst("Error: ".count).contains("Error("), "\(errors)")
    }
}
