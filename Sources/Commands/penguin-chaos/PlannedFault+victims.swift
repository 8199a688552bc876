extension PlannedFault {
    /// What it mistreats: two faults on one of these do not mix.
    func victims(in shape: ChaosShape) -> Set<String> {
        let workers = Set((0..<shape.workers).map { "worker \($0)" })
        let webs = Set((0..<shape.webs).map { "web \($0)" })
        switch self.kind {
        case .workerKill, .workerSleep: return ["worker \(self.victim)"]
        case .rollingRestart: return workers
        case .webKill, .webRestart, .webSleep: return ["web \(self.victim)"]
        case .databaseLock: return ["database"]
        case .redisKill, .redisLoss, .redisSleep, .redisFlush, .subscriberKill: return ["redis"]
        case .proxyDelay, .proxyCut, .proxyHalf, .proxyFreeze: return ["proxy"]
        case .reconnectStorm: return []
        case .providerSlow, .providerRefuses, .providerCut: return ["provider"]
        case .allKill: return workers.union(webs).union(["redis"])
        }
    }
}
