package import NIOCore

/// What a subscription is told, in the order in which it happened.
package enum RedisSubscriptionEvent: Sendable, Equatable {
    /// A published message's bytes.
    case message(ByteBuffer)
    /// The connection was lost: messages from now until `resubscribed` are missed.
    case interrupted
    /// The server has acknowledged the channel again; what is published from now on arrives.
    case resubscribed
}
