/// Times and sizes of the HTTP part of a connection, before and instead of a WebSocket.
package struct HTTPLimits: Sendable {
    /// How long a connection may stay without a request, or without a byte of a request body; default 60 s.
    package var idleTimeout: Duration
    /// How long a request head may take from its first byte; default 10 s.
    package var headTimeout: Duration
    /// How long the decision on an upgrade request may take; default 10 s.
    ///
    /// Later it is answered 503.
    package var decisionTimeout: Duration
    /// Largest header field, and largest sum of all of them, in bytes; default 80 KiB.
    ///
    /// More is answered 400.
    package var headerBytesMax: Int
    /// Most header fields of one request; default 256.
    ///
    /// More is answered 400.
    package var headerFieldsMax: Int

    package init(
        idleTimeout: Duration = .seconds(60),
        headTimeout: Duration = .seconds(10),
        decisionTimeout: Duration = .seconds(10),
        headerBytesMax: Int = 80 * 1_024,
        headerFieldsMax: Int = 256
    ) {
        self.idleTimeout = idleTimeout
        self.headTimeout = headTimeout
        self.decisionTimeout = decisionTimeout
        self.headerBytesMax = headerBytesMax
        self.headerFieldsMax = headerFieldsMax
    }
}
