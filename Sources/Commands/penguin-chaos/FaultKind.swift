import ArgumentParser
import TestSupport

/// What can be done to a running Penguin.
enum FaultKind: String, CaseIterable, Sendable, ExpressibleByArgument {
    /// SIGKILL; another is started after a while.
    case workerKill = "worker-kill"
    /// SIGSTOP for longer than the lease, then SIGCONT.
    case workerSleep = "worker-sleep"
    /// SIGTERM to one worker after the other, each with a successor.
    case rollingRestart = "rolling-restart"
    case webKill = "web-kill"
    /// SIGSTOP.
    case webSleep = "web-sleep"
    /// SIGTERM.
    case webRestart = "web-restart"
    /// Somebody else holds the write lock of the database.
    case databaseLock = "database-lock"
    /// SIGKILL of Redis; it comes back with its data.
    case redisKill = "redis-kill"
    /// SIGKILL of Redis; it comes back empty.
    case redisLoss = "redis-loss"
    /// SIGSTOP of Redis.
    case redisSleep = "redis-sleep"
    case redisFlush = "redis-flush"
    /// CLIENT KILL TYPE pubsub.
    case subscriberKill = "subscriber-kill"
    /// Half of the processes reach Redis late.
    case proxyDelay = "proxy-delay"
    /// Their connections are reset.
    case proxyCut = "proxy-cut"
    /// Nothing more comes from Redis, and the connections stay.
    case proxyHalf = "proxy-half"
    /// Nothing passes in either direction.
    case proxyFreeze = "proxy-freeze"
    /// All clients lose their connections at once, and come back.
    case reconnectStorm = "reconnect-storm"
    case providerSlow = "provider-slow"
    /// The provider resets every new connection.
    case providerRefuses = "provider-refuses"
    /// The connections to the provider are cut, and so every answer under way.
    case providerCut = "provider-cut"
    /// SIGKILL of all processes and Redis at once.
    case allKill = "all-kill"

    var effects: Set<FaultWindow.Effect> {
        switch self {
        case .workerKill, .workerSleep: [.worker]
        case .rollingRestart: [.restart]
        case .webKill, .webRestart, .webSleep: [.web]
        // A worker that cannot beat gives its jobs up.
        case .databaseLock: [.worker, .web]
        case .redisKill, .redisLoss, .redisSleep, .redisFlush, .subscriberKill: [.redis]
        case .proxyDelay, .proxyCut, .proxyHalf, .proxyFreeze: [.redis]
        case .reconnectStorm: [.clients]
        case .providerSlow, .providerRefuses, .providerCut: [.provider]
        case .allKill: [.worker, .web, .redis]
        }
    }

    /// How long it lasts, in milliseconds; of those that are over at once, how long their victim stays away.
    func lasting(leaseMilliseconds lease: Int) -> ClosedRange<Int> {
        switch self {
        case .workerSleep: lease + 500...lease * 2 + 1000
        case .workerKill, .webKill, .webRestart: 200...3000
        case .webSleep: 500...lease * 2
        case .databaseLock: 200...lease + 2000
        case .rollingRestart: 0...500
        case .redisKill, .redisLoss, .redisSleep: 100...3000
        case .redisFlush, .subscriberKill, .proxyCut, .reconnectStorm, .providerCut: 0...0
        case .proxyDelay, .proxyHalf, .proxyFreeze: 1000...7000
        case .providerSlow: 1000...4000
        case .providerRefuses: 200...1500
        case .allKill: 200...2000
        }
    }
}
