import NIOCore
import NIOPosix

/// A proxy between a client and its server, on real sockets, that does to connections what networks and machines do.
///
/// It listens on a port or a unix socket and forwards to another; faults are switched while it runs, hold for the
/// connections that are there and for those to come, and are in force when the call returns. Bytes are never lost or
/// changed while a connection lives: what is held back comes later, as TCP has it.
package final class FaultProxy: Sendable {
    package enum Address: Sendable, Equatable {
        /// Port 0 takes a free one.
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    package enum Direction: String, Sendable, CaseIterable {
        case toServer, toClient
    }

    package enum Ending: String, Sendable {
        /// RST, as of a machine that has forgotten the connection; on unix sockets the other end just reads the end.
        case reset
        /// FIN in both directions.
        case finish
    }

    package static let both: Set<Direction> = [.toServer, .toClient]

    /// Where it listens.
    package let address: Address
    private let hub: NIOLoopBound<FaultProxyHub>
    private let listener: any Channel
    private let group: MultiThreadedEventLoopGroup

    /// Starts one on a thread of its own.
    package static func start(
        to target: Address,
        listeningOn address: Address = .tcp(host: "127.0.0.1", port: 0)
    ) async throws -> FaultProxy {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        do {
            let hub = try await loop.submit {
                NIOLoopBound(FaultProxyHub(loop: loop, target: target), eventLoop: loop)
            }.get()
            let bootstrap = ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer { client in hub.value.accept(client) }
            switch address {
            case .tcp(let host, let port):
                let listener = try await bootstrap.bind(host: host, port: port).get()
                let bound = Address.tcp(host: host, port: listener.localAddress?.port ?? port)
                return FaultProxy(bound, hub, listener, group)
            case .unix(let path):
                let listener = try await bootstrap.bind(unixDomainSocketPath: path).get()
                return FaultProxy(address, hub, listener, group)
            }
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
    }

    private init(
        _ address: Address,
        _ hub: NIOLoopBound<FaultProxyHub>,
        _ listener: any Channel,
        _ group: MultiThreadedEventLoopGroup
    ) {
        self.address = address
        self.hub = hub
        self.listener = listener
        self.group = group
    }

    /// Nil for a unix socket.
    package var port: Int? {
        if case .tcp(_, let port) = self.address { port } else { nil }
    }

    // MARK: Faults

    /// Everything that comes from now on arrives so much later; zero for at once.
    package func delay(_ time: Duration, _ directions: Set<Direction> = FaultProxy.both) async throws {
        try await self.change { faults in
            for direction in directions { faults.delay[direction] = TimeAmount(time) }
        }
    }

    /// Lets so many bytes a second through, for each connection; nil for no limit.
    package func throttle(
        bytesPerSecond rate: Int?,
        _ directions: Set<Direction> = FaultProxy.both
    ) async throws {
        try await self.change { faults in
            for direction in directions { faults.bytesPerSecond[direction] = rate.map { max(1, $0) } }
        }
    }

    /// Lets nothing through in these directions: connections stay, new ones are accepted, and what comes waits.
    ///
    /// One direction is a half-open connection, both are a frozen machine.
    package func hold(_ directions: Set<Direction> = FaultProxy.both) async throws {
        try await self.change { $0.held.formUnion(directions) }
    }

    /// Resets every new connection as soon as it is accepted.
    package func refuse() async throws {
        try await self.change { $0.refuses = true }
    }

    /// No delay, no limit, nothing held or refused; what was held goes on.
    package func heal() async throws {
        try await self.change { $0 = FaultProxyFaults() }
    }

    /// Ends all connections and returns how many there were; what was under way is lost.
    @discardableResult
    package func cut(_ ending: Ending = .reset) async throws -> Int {
        try await self.onLoop { $0.cut(ending) }
    }

    /// Sends the end of the stream in one direction of every connection and drops what still comes for it: half-closed.
    package func shut(_ direction: Direction) async throws {
        try await self.onLoop { $0.shut(direction) }
    }

    /// New connections go there from now on.
    package func retarget(_ target: Address) async throws {
        try await self.onLoop { $0.target = target }
    }

    // MARK: What it sees

    /// What it has done so far.
    package var counters: FaultProxyCounters {
        get async throws { try await self.onLoop { $0.counters } }
    }

    /// Ends all connections and the proxy.
    package func stop() async {
        // Nothing can be done about a socket or a thread that does not end.
        try? await self.listener.close()
        _ = try? await self.cut(.finish)
        try? await self.group.shutdownGracefully()
    }

    private func change(_ body: @escaping @Sendable (inout FaultProxyFaults) -> Void) async throws {
        try await self.onLoop { hub in
            body(&hub.faults)
            hub.pump()
        }
    }

    private func onLoop<R: Sendable>(_ body: @escaping @Sendable (FaultProxyHub) -> R) async throws -> R {
        let hub = self.hub
        return try await hub.eventLoop.submit { body(hub.value) }.get()
    }
}

/// Runs `body` with a proxy that is stopped afterwards.
package func withFaultProxy<R>(
    to target: FaultProxy.Address,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (FaultProxy) async throws -> R
) async throws -> R {
    let proxy = try await FaultProxy.start(to: target)
    do {
        let result = try await body(proxy)
        await proxy.stop()
        return result
    } catch {
        await proxy.stop()
        throw error
    }
}
