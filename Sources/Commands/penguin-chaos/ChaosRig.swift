import Domain
import Foundation
import TestSupport

/// The processes of a run: Redis, the provider, web processes and workers on one data folder, and the proxies in between.
///
/// A process that ends is started again, as a service manager would do.
actor ChaosRig {
    nonisolated let home: URL
    nonisolated let shape: ChaosShape
    nonisolated let redis: RedisServer
    nonisolated let provider: FakeProvider
    /// Between Redis and every second process.
    nonisolated let redisProxy: FaultProxy
    nonisolated let providerProxy: FaultProxy
    /// What clients connect to; one for each web process, on the same port all the time.
    nonisolated let fronts: [FaultProxy]
    private let programs: URL?
    private let logSeconds: Int
    private var slots: [ProcessSlot]
    /// Ends that nobody had asked for, with the last words.
    private(set) var surprises: [String] = []

    init(plan: ChaosPlan, home: URL, programs: URL?) async throws {
        self.home = home
        self.shape = plan.shape
        self.programs = programs
        self.logSeconds = plan.logSeconds
        self.redis = try await RedisServer.start(appendOnly: true)
        self.provider = try await FakeProvider.start()
        self.redisProxy = try await FaultProxy.start(to: .unix(path: self.redis.socketPath))
        self.providerProxy = try await FaultProxy.start(to: .tcp(host: "127.0.0.1", port: self.provider.port))
        var fronts: [FaultProxy] = []
        for _ in 0..<plan.shape.webs { fronts.append(try await FaultProxy.start(to: .tcp(host: "127.0.0.1", port: 1))) }
        self.fronts = fronts
        let webs = (0..<plan.shape.webs).map { ProcessSlot(name: "web \($0)", program: .web) }
        self.slots = webs + (0..<plan.shape.workers).map { ProcessSlot(name: "worker \($0)", program: .worker) }
    }

    nonisolated var databaseFile: URL { self.home.appendingPathComponent("penguin.db") }

    /// The port of a web process, whichever runs there.
    nonisolated func port(ofWeb web: Int) -> Int { self.fronts[web % self.fronts.count].port ?? 0 }

    nonisolated static func key(of tenant: String) -> String { "key-of-\(tenant)-0123456789" }

    // MARK: Processes

    /// Starts what is to run and does not, until cancelled.
    func supervise() async throws {
        while !Task.isCancelled {
            for index in self.slots.indices { try await self.look(after: index) }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Waits until everything runs and answers.
    func waitUntilUp(within limit: Duration) async throws {
        try await eventually(within: limit, "all processes are up") {
            guard self.slots.allSatisfy({ $0.process?.pid != nil && ($0.program == .worker || $0.port != nil) }) else {
                return false
            }
            for web in 0..<self.shape.webs {
                // Not answering yet.
                let reply = try? await HTTPProbe(port: self.port(ofWeb: web)).get("/readyz", within: .seconds(2))
                let workers = reply?.json?["workers"]?.string ?? ""
                guard reply?.status == 200, workers.hasPrefix("\(self.shape.workers) ") else { return false }
            }
            return true
        }
    }

    /// The process that runs in a place now.
    func process(_ name: String) -> PenguinProcess? {
        self.slots.first { $0.name == name }?.process
    }

    /// Ends a process in the way given and keeps its place empty for a while.
    func takeDown(
        _ name: String,
        for time: Duration,
        _ end: @Sendable (PenguinProcess) async throws -> Void
    ) async throws {
        guard let index = self.slots.firstIndex(where: { $0.name == name }) else { return }
        self.slots[index].isHeldDown = true
        defer { self.slots[index].isHeldDown = false }
        guard let process = self.slots[index].process else { return }
        try await end(process)
        self.slots[index].process = nil
        self.slots[index].port = nil
        try await Task.sleep(for: time)
    }

    func note(surprise: String) {
        self.surprises.append(surprise)
    }

    /// What the processes have in use.
    func memory() throws -> [MemorySample] {
        try self.slots.compactMap { slot in
            guard slot.program == .web, let process = slot.process, process.pid != nil else { return nil }
            return MemorySample(process: slot.name, residentBytes: try process.residentBytes())
        }
    }

    /// Kills everything.
    func stop() async {
        for index in self.slots.indices { self.slots[index].isHeldDown = true }
        for slot in self.slots {
            // A child that cannot be killed dies with this process at the latest.
            try? await slot.process?.kill()
        }
        try? await self.redis.kill()
        for proxy in self.fronts + [self.redisProxy, self.providerProxy] { await proxy.stop() }
        await self.provider.stop()
    }

    private func look(after index: Int) async throws {
        let slot = self.slots[index]
        guard !slot.isHeldDown else { return }
        if let process = slot.process, process.pid != nil {
            if slot.program == .web, slot.port == nil, let port = process.port {
                self.slots[index].port = port
                try await self.fronts[index].retarget(.tcp(host: "127.0.0.1", port: port))
            }
            return
        }
        if let process = slot.process {
            let last = process.errors.split(separator: "\n").last ?? "nothing"
            self.surprises.append("\(slot.name) ended with \(process.exitCode ?? -1), saying: \(last)")
            self.slots[index].process = nil
            // As a service manager waits, so that a program which cannot start does not eat the machine.
            try? await Task.sleep(for: .milliseconds(500))
        }
        let started = try await PenguinProcess.launch(
            slot.program,
            in: self.home,
            environment: self.environment(of: index),
            arguments: slot.program == .web ? ["--workers", "0"] : [],
            programs: self.programs
        )
        self.slots[index].process = started
        self.slots[index].port = nil
    }

    /// Leases of some seconds and everything else in proportion, so that minutes show what else takes an hour.
    private func environment(of index: Int) -> [String: String] {
        let lease = Double(self.shape.lease) / 1000
        let keys = ChaosShape.tenants.map { "\($0)=\(Self.key(of: $0))" }.joined(separator: ",")
        let redis = index % 2 == 0 ? self.redis.url : "redis://127.0.0.1:\(self.redisProxy.port ?? 0)"
        return [
            "PENGUIN_HOME": self.home.path, "HOME": self.home.path, "PORT": "0", "REDIS_URL": redis,
            "LOG_LEVEL": ProcessInfo.processInfo.environment["LOG_LEVEL"] ?? "info", "PENGUIN_API_KEYS": keys,
            "OPENAI_API_KEY": "key-of-the-fake-provider", "PENGUIN_DEFAULT_MODEL": "openai/fake",
            "OPENAI_BASE_URL": "http://127.0.0.1:\(self.providerProxy.port ?? 0)/v1",
            "PENGUIN_LEASE_SECONDS": "\(lease)", "PENGUIN_HEARTBEAT_SECONDS": "\(lease / 6)",
            "PENGUIN_REAP_SECONDS": "\(lease / 4)", "PENGUIN_REDISPATCH_SECONDS": "\(lease / 2)",
            "PENGUIN_RECLAIM_IDLE_SECONDS": "\(lease)", "PENGUIN_CANCEL_GRACE_SECONDS": "\(lease)",
            "PENGUIN_RETRY_BASE_SECONDS": "0.2", "PENGUIN_LOST_MAX": "\(Self.lostMax)",
            "PENGUIN_LOG_TTL_SECONDS": "\(self.logSeconds)", "PENGUIN_SHUTDOWN_GRACE": "0.5",
            "PENGUIN_WORKER_CONCURRENCY": "16",
        ]
    }

    /// Many a worker dies here, which is no message's fault.
    nonisolated static let lostMax = 20
}
