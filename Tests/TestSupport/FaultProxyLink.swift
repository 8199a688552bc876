import NIOCore

/// One connection through a fault proxy: the client's half, the server's half and a lane for each direction.
final class FaultProxyLink {
    private let hub: FaultProxyHub
    private let client: any Channel
    /// Nil until the server is reached.
    private var server: (any Channel)?
    private let toServer: FaultProxyLane
    private let toClient: FaultProxyLane
    private var isOver = false

    init(hub: FaultProxyHub, client: any Channel) {
        self.hub = hub
        self.client = client
        self.toServer = FaultProxyLane(.toServer, hub: hub)
        self.toClient = FaultProxyLane(.toClient, hub: hub)
        self.toServer.source = client
        self.toClient.destination = client
        self.toServer.link = self
        self.toClient.link = self
    }

    func lane(_ direction: FaultProxy.Direction) -> FaultProxyLane {
        direction == .toServer ? self.toServer : self.toClient
    }

    /// The handler of the channel from which this direction is read.
    func end(reading direction: FaultProxy.Direction) -> FaultProxyEnd {
        let writing: FaultProxy.Direction = direction == .toServer ? .toClient : .toServer
        return FaultProxyEnd(link: self, reads: self.lane(direction), writes: self.lane(writing))
    }

    func reached(_ server: any Channel) {
        guard !self.isOver else { return server.end(.reset) }
        self.server = server
        self.toServer.destination = server
        self.toClient.source = server
        self.pump()
    }

    func pump() {
        self.toServer.pump()
        self.toClient.pump()
        if self.toServer.isFinished, self.toClient.isFinished { self.cut(.finish) }
    }

    /// The channel that one lane reads and the other writes is gone.
    func lost(reading: FaultProxyLane, writing: FaultProxyLane) {
        // No error came before, so it ended in order: what it sent still arrives, what was meant for it has nowhere to go.
        reading.end()
        writing.shut()
        self.pump()
    }

    func cut(_ ending: FaultProxy.Ending) {
        guard !self.isOver else { return }
        self.isOver = true
        self.toServer.drop()
        self.toClient.drop()
        self.client.end(ending)
        self.server?.end(ending)
        self.hub.forget(self)
    }
}
