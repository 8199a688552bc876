import Foundation
import NIOCore
import NIOPosix
import TestSupport

/// The processes that are measured, each started when a scenario first asks for it.
actor Rig {
    nonisolated let effort: Effort
    /// The client's one thread.
    nonisolated let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let directory: URL
    private var running: [String: ServedProgram] = [:]
    private var serverCount = 0
    private var redisCeiling: RedisCeiling?

    /// Jobs that the server's worker runs at once: as many as the largest scenario has chats.
    static let workerConcurrency = 256

    init(effort: Effort, directory: URL) {
        self.effort = effort
        self.directory = directory
    }

    /// The `penguin-web` that all scenarios share.
    func server() async throws -> ServedProgram {
        try await self.shared("penguin-web") { try await self.startServer() }
    }

    /// The model provider's stand-in.
    func provider() async throws -> ServedProgram {
        try await self.shared("fake-provider") {
            try await ServedProgram.start(
                .init(
                    name: "fake-provider",
                    arguments: { ["--port", "\($0)"] },
                    readyPath: "/v1/models",
                    directory: self.directory
                ),
                on: self.loop
            )
        }
    }

    /// A server with nothing but a route.
    func bareServer() async throws -> ServedProgram {
        try await self.shared("penguin-bench") {
            try await ServedProgram.start(
                .init(
                    name: "penguin-bench",
                    arguments: { ["bare-http", "--port", "\($0)"] },
                    readyPath: "/livez",
                    directory: self.directory
                ),
                on: self.loop
            )
        }
    }

    /// What Redis alone could carry; measured once.
    func redisAlone() async throws -> RedisCeiling {
        if let ceiling = self.redisCeiling { return ceiling }
        let ceiling = try await RedisCeiling.measure(count: self.effort.pick(quick: 50_000, full: 200_000))
        self.redisCeiling = ceiling
        return ceiling
    }

    /// One more `penguin-web` with a fresh folder; whoever asks for it stops it.
    func startServer() async throws -> ServedProgram {
        let provider = try await self.provider()
        self.serverCount += 1
        let home = self.directory.appendingPathComponent("server-\(self.serverCount)")
        let variables = [
            "PENGUIN_HOME": home.path,
            "HOME": home.path,
            "HOST": "127.0.0.1",
            "OPENAI_BASE_URL": "http://127.0.0.1:\(provider.port)/v1",
            "OPENAI_API_KEY": "bench",
            "PENGUIN_DEFAULT_MODEL": "openai/fake",
            "PENGUIN_WORKER_CONCURRENCY": "\(Self.workerConcurrency)",
        ]
        return try await ServedProgram.start(
            .init(
                name: "penguin-web",
                arguments: { _ in [] },
                environment: { port in variables.merging(["PORT": "\(port)"]) { $1 } },
                readyPath: "/readyz",
                directory: home
            ),
            on: self.loop
        )
    }

    /// What the shared server, its Redis, the provider and this process cost.
    func meter() async throws -> ProcessMeter {
        let server = try await self.server()
        let provider = try await self.provider()
        var processes = [(server.name, server.pid), (provider.name, provider.pid), ("penguin-bench", getpid())]
        if let redis = ProcessMeter.descendant(of: server.pid, named: "redis-server") {
            processes.append(("redis-server", redis))
        }
        return ProcessMeter(processes: processes)
    }

    /// The error, and what a program that has died had to say.
    func explain(_ error: any Error) -> String {
        let dead = self.running.values.filter { !$0.isRunning }
        return (["\(error)"] + dead.map { "\($0.name) has ended: \($0.logTail)" }).joined(separator: "\n")
    }

    /// Stops everything that was started, the servers before what they use.
    func stop() async {
        for name in ["penguin-web", "penguin-bench", "fake-provider"] { await self.running[name]?.stop() }
        self.running = [:]
        // Nothing can be done about a thread that does not end.
        try? await self.loop.shutdownGracefully()
    }

    private func shared(
        _ name: String,
        start: () async throws -> ServedProgram
    ) async throws -> ServedProgram {
        if let program = self.running[name] { return program }
        let program = try await start()
        self.running[name] = program
        return program
    }
}
