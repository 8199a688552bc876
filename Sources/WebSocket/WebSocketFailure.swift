/// A breach of the protocol by the peer: the code and reason of the Close frame it is answered with.
struct WebSocketFailure: Error, Equatable {
    let code: WebSocketCloseCode
    let reason: String

    init(_ code: WebSocketCloseCode, _ reason: String) {
        self.code = code
        self.reason = reason
    }
}
