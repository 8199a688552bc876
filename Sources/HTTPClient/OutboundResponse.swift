/// An answer: status and headers are here, the body is on its way.
package struct OutboundResponse: Sendable {
    /// The status code of the final answer (never 1xx).
    package let status: Int
    /// The headers of the final answer.
    package let headers: OutboundHeaders
    /// The body, to be read once.
    package let body: OutboundBody
}
