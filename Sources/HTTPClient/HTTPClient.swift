/// Outbound HTTP over libcurl's multi interface, streaming: one thread carries every transfer of a process.
///
/// HTTP/2 is multiplexed where the server speaks it, connections are kept alive, TLS is verified and proxies come from
/// the environment (`http_proxy`, `https_proxy`, `no_proxy`), as libcurl reads them. Safe to use from any task.
/// Keep it alive while answers are being read: releasing the last reference ends every transfer.
package final class HTTPClient: Sendable {
    private let inbox = CurlInbox()

    /// A client with its own thread and its own connections.
    package init() {
        CurlLoop.start(with: self.inbox)
    }

    deinit {
        self.inbox.stop(nil)
    }

    /// Sends a request and returns as soon as the status and the headers are there; the body is still to come.
    ///
    /// Any status is an answer, not an error. Cancelling the task closes the transfer at once, and so does releasing
    /// the response without reading it to its end. Throws `.invalidRequest` before anything is sent, `.shutDown` after
    /// `shutdown()`, else what happened to the transfer.
    package func send(_ request: OutboundRequest) async throws(HTTPClientError) -> OutboundResponse {
        try request.check()
        let exchange = Exchange(id: self.inbox.makeID(), bufferBytesMax: request.bufferBytesMax, inbox: self.inbox)
        let body = OutboundBody(of: exchange)
        guard self.inbox.post(.start(exchange, request)) else { throw .shutDown }
        let head = try await exchange.head().get()
        return OutboundResponse(status: head.status, headers: head.headers, body: body)
    }

    /// Ends every transfer, closes the connections and returns when the thread has ended; may be called twice.
    package func shutdown() async {
        await withCheckedContinuation { self.inbox.stop($0) }
    }
}
