import NIOCore
import NIOPosix

/// What the connections of a fault proxy share; lives on its event loop.
final class FaultProxyHub {
    let loop: any EventLoop
    var target: FaultProxy.Address
    var faults = FaultProxyFaults()
    var counters = FaultProxyCounters()
    private var links: [ObjectIdentifier: FaultProxyLink] = [:]

    init(loop: any EventLoop, target: FaultProxy.Address) {
        self.loop = loop
        self.target = target
    }

    /// Takes a new connection, and begins one to the server.
    func accept(_ client: any Channel) -> EventLoopFuture<Void> {
        self.counters.accepted += 1
        guard !self.faults.refuses else {
            self.counters.refused += 1
            client.end(.reset)
            return client.eventLoop.makeSucceededVoidFuture()
        }
        let link = FaultProxyLink(hub: self, client: client)
        self.links[ObjectIdentifier(link)] = link
        self.counters.live += 1
        return client.eventLoop.makeCompletedFuture {
            try client.pipeline.syncOperations.addHandler(link.end(reading: .toServer))
            self.connect(link)
        }
    }

    /// Everything that may go on goes on.
    func pump() {
        for link in self.links.values { link.pump() }
    }

    func cut(_ ending: FaultProxy.Ending) -> Int {
        let links = self.links.values
        for link in links { link.cut(ending) }
        return links.count
    }

    func shut(_ direction: FaultProxy.Direction) {
        for link in self.links.values { link.lane(direction).shut() }
    }

    func forget(_ link: FaultProxyLink) {
        if self.links.removeValue(forKey: ObjectIdentifier(link)) != nil { self.counters.live -= 1 }
    }

    private func connect(_ link: FaultProxyLink) {
        let bound = NIOLoopBound(link, eventLoop: self.loop)
        let bootstrap = ClientBootstrap(group: self.loop)
            .connectTimeout(.seconds(10))
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { server in
                server.eventLoop.makeCompletedFuture {
                    try server.pipeline.syncOperations.addHandler(bound.value.end(reading: .toClient))
                }
            }
        let connected =
            switch self.target {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        connected.whenComplete { result in
            switch result {
            case .success(let server): bound.value.reached(server)
            case .failure: bound.value.cut(.reset)
            }
        }
    }
}

extension Channel {
    /// Closes in the way that is asked for.
    func end(_ ending: FaultProxy.Ending) {
        if ending == .reset, let options = self as? any SocketOptionProvider {
            // Without lingering, a close is a reset; on a channel that has ended it fails and is not needed.
            _ = options.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
        self.close(promise: nil)
    }
}
