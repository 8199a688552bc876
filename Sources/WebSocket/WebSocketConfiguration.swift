/// Limits and times of one WebSocket, server or client side.
///
/// The defaults suit a browser that follows token streams; every bound is per socket.
package struct WebSocketConfiguration: Sendable {
    /// Largest inbound message in bytes, after inflating; default 1 MiB.
    ///
    /// More closes the socket with 1009.
    package var messageBytesMax: Int
    /// Largest payload of one inbound data frame in bytes, as sent; default `messageBytesMax`.
    ///
    /// More closes the socket with 1009.
    package var frameBytesMax: Int
    /// Pause between two pings of ours, default 20 s; zero turns them off.
    ///
    /// Two in a row without any sign of life from the peer end the socket, so a dead peer is noticed after three
    /// intervals.
    package var pingInterval: Duration
    /// How long a close may take from our Close frame to the end of the TCP connection; default 5 s.
    package var closeTimeout: Duration
    /// How long the handler may go on after its socket has ended, before its task is cancelled; default 2 s.
    package var finishTimeout: Duration
    /// How long the peer may take no byte of what we have to send; default 30 s, measured every `writeTimeout`, so a
    /// stalled peer is cut after one to two of them.
    package var writeTimeout: Duration
    /// Whether permessage-deflate (RFC 7692, without context takeover) is accepted or, by a client, offered.
    package var compression: Bool
    /// Smallest message in bytes that is worth compressing; default 1,024.
    ///
    /// Single tokens stay below it.
    package var compressedMessageBytesMin: Int
    /// Bytes that may wait for the peer before `send` suspends; default 64 KiB.
    package var unsentBytesMax: Int
    /// Bytes of received messages that may wait for the reader before the socket is no longer read; default 64 KiB.
    package var unreadBytesMax: Int
    /// Received messages that may wait for the reader, whatever their size; default 256.
    package var unreadMessagesMax: Int

    package init(
        messageBytesMax: Int = 1_048_576,
        frameBytesMax: Int? = nil,
        pingInterval: Duration = .seconds(20),
        closeTimeout: Duration = .seconds(5),
        finishTimeout: Duration = .seconds(2),
        writeTimeout: Duration = .seconds(30),
        compression: Bool = true,
        compressedMessageBytesMin: Int = 1_024,
        unsentBytesMax: Int = 65_536,
        unreadBytesMax: Int = 65_536,
        unreadMessagesMax: Int = 256
    ) {
        self.messageBytesMax = messageBytesMax
        self.frameBytesMax = frameBytesMax ?? messageBytesMax
        self.pingInterval = pingInterval
        self.closeTimeout = closeTimeout
        self.finishTimeout = finishTimeout
        self.writeTimeout = writeTimeout
        self.compression = compression
        self.compressedMessageBytesMin = compressedMessageBytesMin
        self.unsentBytesMax = unsentBytesMax
        self.unreadBytesMax = unreadBytesMax
        self.unreadMessagesMax = unreadMessagesMax
    }
}
