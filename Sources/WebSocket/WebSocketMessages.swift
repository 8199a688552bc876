/// The messages of one socket in order, for one reader; ends when the socket closes or the task is cancelled.
///
/// A reader that lags stops the peer: the socket is not read while `unreadBytesMax` wait.
package struct WebSocketMessages: AsyncSequence, Sendable {
    package typealias Element = WebSocketMessage
    package typealias Failure = Never

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let inbox: WebSocketInbox

        package mutating func next() async -> WebSocketMessage? {
            await self.inbox.next()
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async -> WebSocketMessage? {
            await self.inbox.next()
        }
    }

    let inbox: WebSocketInbox

    package func makeAsyncIterator() -> Iterator {
        Iterator(inbox: self.inbox)
    }
}
