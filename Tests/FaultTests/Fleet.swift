// What no fault may break: real processes are killed, stopped and starved here, and the answers come all the same.

import Domain
import Foundation
import Synchronization
import TestSupport

/// The processes of one Penguin under test: a data folder, a provider, perhaps a Redis of its own, and what is started on them.
final class Fleet: Sendable {
    /// Keys of the provider and of clients need a certain length to be taken.
    private static let providerKey = "key-of-the-fake-provider"

    let home: URL
    let provider: FakeProvider
    /// Nil when `penguin-web` has one of its own.
    let redis: RedisServer?
    private let variables: [String: String]
    private let started = Mutex<[PenguinProcess]>([])

    init(home: URL, provider: FakeProvider, redis: RedisServer?, variables: [String: String]) {
        self.home = home
        self.provider = provider
        self.redis = redis
        self.variables = variables
    }

    /// Leases of 2 s and everything else in proportion, so that a test sees in seconds what else takes a minute.
    var environment: [String: String] {
        var all = [
            "PENGUIN_HOME": self.home.path, "HOME": self.home.path, "PORT": "0", "LOG_LEVEL": "debug",
            "OPENAI_API_KEY": Self.providerKey, "OPENAI_BASE_URL": self.provider.baseURL,
            "PENGUIN_DEFAULT_MODEL": "openai/fake", "PENGUIN_LEASE_SECONDS": "2",
            "PENGUIN_HEARTBEAT_SECONDS": "0.4", "PENGUIN_REAP_SECONDS": "0.5", "PENGUIN_REDISPATCH_SECONDS": "1",
            "PENGUIN_RECLAIM_IDLE_SECONDS": "2", "PENGUIN_RETRY_BASE_SECONDS": "0.05",
        ]
        if let redis { all["REDIS_URL"] = redis.url }
        return all.merging(self.variables) { _, own in own }
    }

    /// Starts a `penguin-web` and returns when its port answers; with its own worker, when that is there.
    func startWeb(_ arguments: String..., variables: [String: String] = [:]) async throws -> WebServer {
        let process = try await self.launch(.web, arguments, variables: variables)
        try await self.await(process, "penguin-web listens") { process.port != nil }
        guard let port = process.port else { throw NotInTime(description: "penguin-web has no port") }
        let server = WebServer(process: process, port: port)
        let hasWorker = !arguments.contains("--workers")
        try await self.await(process, "penguin-web is ready") {
            // Not answering yet.
            let reply = try? await server.http().get(hasWorker ? "/readyz" : "/livez")
            return reply?.status == 200
        }
        return server
    }

    /// Starts a `penguin-worker` and returns when `server` counts it among the live ones.
    func startWorker(seenBy server: WebServer, variables: [String: String] = [:]) async throws -> PenguinProcess {
        let before = try await server.liveWorkers()
        let process = try await self.launch(.worker, [], variables: variables)
        // A dead worker counts until its lease is over, and may leave while this one comes.
        var lowest = before
        try await self.await(process, "the worker is registered") {
            let live = try await server.liveWorkers()
            lowest = min(lowest, live)
            return live > lowest
        }
        return process
    }

    /// Starts a program that may not come up.
    func launch(
        _ program: PenguinProcess.Program,
        _ arguments: [String] = [],
        variables: [String: String] = [:]
    ) async throws -> PenguinProcess {
        let environment = self.environment.merging(variables) { _, own in own }
        let process = try await PenguinProcess.launch(
            program,
            in: self.home,
            environment: environment.filter { !$0.value.isEmpty },
            arguments: arguments
        )
        self.started.withLock { $0.append(process) }
        return process
    }

    /// Kills what still runs.
    func stop() async {
        for process in self.started.withLock({ $0 }) {
            // A child that cannot be killed dies with this process at the latest.
            try? await process.kill()
        }
        // The embedded Redis ends by itself when its server is gone, and until then writes into the folder.
        try? await eventually(within: .seconds(15), "the embedded Redis has ended") {
            let lock = open(self.home.appendingPathComponent("redis.lock").path, O_RDWR | O_CLOEXEC)
            guard lock >= 0 else { return true }
            defer { close(lock) }
            return flock(lock, LOCK_EX | LOCK_NB) == 0
        }
    }

    /// What the processes said last.
    var lastWords: String {
        self.started.withLock { $0 }.map { process in
            let end = process.exitCode.map { "has ended with \($0)" } ?? "runs"
            return "--- \(process.program.rawValue) \(end):\n\(process.lastErrors)"
        }.joined(separator: "\n")
    }

    private func await(
        _ process: PenguinProcess,
        _ what: String,
        _ condition: () async throws -> Bool
    ) async throws {
        try await eventually(within: .seconds(20), what) {
            guard process.exitCode == nil else { throw NotInTime(description: "it has ended, before: \(what)") }
            return try await condition()
        }
    }
}

/// A failure, with what the processes said last.
struct FleetFailure: Error, CustomStringConvertible {
    let description: String
}

/// Gives `body` a fresh fleet and ends everything afterwards; `hasRedis` for the form with a Redis of its own.
func withFleet<R: Sendable>(
    hasRedis: Bool = false,
    appendOnly: Bool = true,
    variables: [String: String] = [:],
    _ body: (Fleet) async throws -> R
) async throws -> R {
    try await withTemporaryDirectory { home in
        try await withFakeProvider { provider in
            let redis = hasRedis ? try await RedisServer.start(appendOnly: appendOnly) : nil
            let fleet = Fleet(home: home, provider: provider, redis: redis, variables: variables)
            do {
                let result = try await body(fleet)
                await fleet.stop()
                try await redis?.kill()
                return result
            } catch {
                await fleet.stop()
                // The body's error is the one to see.
                try? await redis?.kill()
                throw FleetFailure(description: "\(error)\n\(fleet.lastWords)")
            }
        }
    }
}
