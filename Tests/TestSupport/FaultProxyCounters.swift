/// What a fault proxy has done so far.
package struct FaultProxyCounters: Sendable, Equatable {
    /// Connections accepted, those that were refused included.
    package var accepted = 0
    /// Connections reset as soon as they were accepted.
    package var refused = 0
    /// Connections that are open.
    package var live = 0
    /// Bytes passed on, by direction.
    package var bytes: [FaultProxy.Direction: Int] = [:]

    package init() {}
}
