import NIOCore

/// What lives on a connection: the pipeline of a client or the subscriptions of a subscriber.
///
/// All calls come on the link's event loop, in the order of what happened.
protocol RedisLinkDelegate: AnyObject, Sendable {
    /// Greeted and usable, until `linkLost`.
    func linkReady(_ channel: any Channel)
    /// Bytes came, and these replies became whole (maybe none). Throwing closes the connection.
    func linkReceived(_ replies: [RedisValue]) throws(RedisError)
    /// The socket takes more bytes again.
    func linkWritable()
    /// The connection is gone or could not be made; another attempt follows.
    func linkLost(_ error: RedisError)
    /// There will be no other attempt.
    func linkStopped()
}
