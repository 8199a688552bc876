package import HTTPTypes

/// What becomes of an upgrade request.
package enum WebSocketDecision: Sendable {
    /// Upgrade, and run the handler for as long as the socket is open.
    ///
    /// When the handler returns the socket is closed with 1000. Its task is cancelled `finishTimeout` after the socket
    /// has ended, or at once when the server is stopped by force.
    case upgrade(handler: @Sendable (WebSocketConnection) async -> Void)
    /// Not here: the request goes to the router as an ordinary one, without its upgrade headers.
    case pass
}

/// Decides on each well-formed or malformed WebSocket upgrade request; the second argument is the peer's IP address,
/// nil on a unix socket.
///
/// It must have no effects besides its answer: an accepted but malformed request is answered 400 or 426 instead.
package typealias WebSocketDecider = @Sendable (HTTPRequest, String?) async -> WebSocketDecision
