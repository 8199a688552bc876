/// The body of an answer as it arrives; one reader, once.
///
/// Each element is all that arrived since the last one, so a slow reader gets fewer and larger pieces; beyond
/// `OutboundRequest.bufferBytesMax` the transfer is paused until the reader is back. What arrived before a fault is
/// handed out before the fault is thrown. Releasing it unread closes the transfer.
package struct OutboundBody: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    package typealias Failure = HTTPClientError

    private let hold: Hold

    init(of exchange: Exchange) {
        self.hold = Hold(exchange: exchange)
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(hold: self.hold)
    }

    /// The whole body; throws `.tooLarge` (and closes the transfer) when it has more than `bytesMax` bytes.
    package func collect(upTo bytesMax: Int) async throws(HTTPClientError) -> [UInt8] {
        var whole: [UInt8] = []
        for try await piece in self {
            guard whole.count + piece.count <= bytesMax else {
                self.hold.exchange.abandon()
                throw HTTPClientError(.tooLarge, "the answer has more than \(bytesMax) bytes")
            }
            if whole.isEmpty { whole = piece } else { whole.append(contentsOf: piece) }
        }
        return whole
    }

    /// Gives up the rest but lets it run out unread for up to a second, so that the connection can be used again.
    ///
    /// For an answer whose own format said that it is complete. Later reads find the end.
    package func discardRest() {
        self.hold.exchange.discardRest()
    }

    /// Reads the body piece by piece.
    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let hold: Hold

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(HTTPClientError) -> [UInt8]? {
            try await self.hold.exchange.nextPiece(isolation: actor).get()
        }
    }

    /// Lives as long as anybody can still read the body.
    fileprivate final class Hold: Sendable {
        let exchange: Exchange

        init(exchange: Exchange) {
            self.exchange = exchange
        }

        deinit {
            self.exchange.abandon()
        }
    }
}
