import NIOCore

/// The handler of one of the two channels of a proxied connection.
final class FaultProxyEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let link: FaultProxyLink
    private let reads: FaultProxyLane
    private let writes: FaultProxyLane

    init(link: FaultProxyLink, reads: FaultProxyLane, writes: FaultProxyLane) {
        self.link = link
        self.reads = reads
        self.writes = writes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.reads.take(self.unwrapInboundIn(data))
        self.link.pump()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            self.reads.end()
            self.link.pump()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.writes.pump() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.link.lost(reading: self.reads, writing: self.writes)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.link.cut(.reset)
    }
}
