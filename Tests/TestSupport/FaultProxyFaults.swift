import NIOCore

/// What a fault proxy does wrong now; nothing at first.
struct FaultProxyFaults: Sendable, Equatable {
    var delay: [FaultProxy.Direction: TimeAmount] = [:]
    var bytesPerSecond: [FaultProxy.Direction: Int] = [:]
    var held: Set<FaultProxy.Direction> = []
    var refuses = false
}
