import Domain
import Foundation
import Redis
import TestSupport

/// Does to a rig what a plan says.
struct FaultInjector: Sendable {
    /// How long a fault waits for one on the same victim to be over.
    private static let patience = Duration.seconds(20)
    private static let exitMax = Duration.seconds(30)

    let rig: ChaosRig
    let journal: ClientJournal
    private let locks = VictimLocks()

    init(rig: ChaosRig, journal: ClientJournal) {
        self.rig = rig
        self.journal = journal
    }

    /// All faults at their times; returns when the last is over and everything healed.
    func run(_ faults: [PlannedFault], since begin: ContinuousClock.Instant) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for fault in faults {
                try await Task.sleep(until: begin + .milliseconds(fault.at), clock: .continuous)
                group.addTask { try await self.inject(fault) }
            }
            try await group.waitForAll()
        }
        try await self.rig.redisProxy.heal()
        try await self.rig.providerProxy.heal()
    }

    private func inject(_ fault: PlannedFault) async throws {
        let victims = fault.victims(in: self.rig.shape)
        let isDone = try await self.locks.withVictims(victims, within: Self.patience) {
            Log.say("\(fault)")
            let began = Timestamp.now
            try await self.strike(fault)
            self.journal.add(
                FaultWindow(name: fault.kind.rawValue, effects: fault.kind.effects, began: began, ended: .now)
            )
        }
        if !isDone { Log.say("\(fault): left out, its victim was not back in time") }
    }

    private func strike(_ fault: PlannedFault) async throws {
        let time = Duration.milliseconds(fault.lasting)
        switch fault.kind {
        case .workerKill: try await self.rig.takeDown("worker \(fault.victim)", for: time) { try await $0.kill() }
        case .webKill: try await self.rig.takeDown("web \(fault.victim)", for: time) { try await $0.kill() }
        case .webRestart: try await self.restart("web \(fault.victim)", pause: time)
        case .workerSleep: try await self.sleep("worker \(fault.victim)", for: time)
        case .webSleep: try await self.sleep("web \(fault.victim)", for: time)
        case .databaseLock: try await DatabaseLock.hold(self.rig.databaseFile, for: time)
        case .rollingRestart:
            for worker in 0..<self.rig.shape.workers { try await self.restart("worker \(worker)", pause: time) }
        case .redisKill, .redisLoss, .redisSleep, .redisFlush, .subscriberKill: try await self.strikeRedis(fault, time)
        case .proxyDelay, .proxyCut, .proxyHalf, .proxyFreeze: try await self.strikeProxy(fault, time)
        case .reconnectStorm: for front in self.rig.fronts { try await front.cut() }
        case .providerSlow, .providerRefuses, .providerCut: try await self.strikeProvider(fault, time)
        case .allKill: try await self.killAll(for: time)
        }
    }

    // MARK: Processes

    private func restart(_ name: String, pause: Duration) async throws {
        try await self.rig.takeDown(name, for: pause) { process in
            process.terminate()
            do {
                let code = try await process.waitForExit(within: Self.exitMax)
                if code != 0 { await self.rig.note(surprise: "\(name), told to end, ended with \(code)") }
            } catch {
                await self.rig.note(surprise: "\(name), told to end, did not within \(Self.exitMax)")
                try await process.kill()
            }
        }
    }

    private func sleep(_ name: String, for time: Duration) async throws {
        let process = await self.rig.process(name)
        process?.pause()
        defer { process?.resume() }
        try await Task.sleep(for: time)
    }

    private func killAll(for time: Duration) async throws {
        let shape = self.rig.shape
        let names = (0..<shape.webs).map { "web \($0)" } + (0..<shape.workers).map { "worker \($0)" }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names {
                group.addTask { try await self.rig.takeDown(name, for: time) { try await $0.kill() } }
            }
            group.addTask { try await self.rig.redis.restart() }
            try await group.waitForAll()
        }
    }

    // MARK: Redis

    private func strikeRedis(_ fault: PlannedFault, _ time: Duration) async throws {
        let redis = self.rig.redis
        switch fault.kind {
        case .redisKill, .redisLoss:
            try await redis.kill()
            if fault.kind == .redisLoss {
                try FileManager.default.removeItem(at: redis.directory.appendingPathComponent("appendonlydir"))
            }
            try await Task.sleep(for: time)
            try await redis.restart()
        case .redisSleep:
            redis.pause()
            defer { redis.resume() }
            try await Task.sleep(for: time)
        case .redisFlush: try await self.command("FLUSHALL")
        default: try await self.command("CLIENT", "KILL", "TYPE", "pubsub")
        }
    }

    private func command(_ name: String, _ arguments: RedisArgument...) async throws {
        try await withRedisClient(self.rig.redis.url) { client in
            _ = try await client.send(RedisCommand(name, arguments: arguments))
        }
    }

    private func strikeProxy(_ fault: PlannedFault, _ time: Duration) async throws {
        let proxy = self.rig.redisProxy
        switch fault.kind {
        case .proxyDelay: try await proxy.delay(.milliseconds(200))
        case .proxyHalf: try await proxy.hold([.toClient])
        case .proxyFreeze: try await proxy.hold()
        default: try await proxy.cut()
        }
        try await Task.sleep(for: time)
        try await proxy.heal()
    }

    private func strikeProvider(_ fault: PlannedFault, _ time: Duration) async throws {
        let proxy = self.rig.providerProxy
        switch fault.kind {
        case .providerSlow: try await proxy.throttle(bytesPerSecond: 2000)
        case .providerRefuses: try await proxy.refuse()
        default: try await proxy.cut()
        }
        try await Task.sleep(for: time)
        try await proxy.heal()
    }
}
