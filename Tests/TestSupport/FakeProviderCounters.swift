/// What a fake provider has done so far.
package struct FakeProviderCounters: Sendable, Equatable {
    /// Connections accepted.
    package var connectionsOpened = 0
    /// Connections that are open.
    package var connectionsLive = 0
    /// Requests received whole.
    package var requests = 0
    /// Answers under way.
    package var answersLive = 0
    /// Answers sent to their end, errors included.
    package var answersCompleted = 0
    /// Answers during which the client closed the connection.
    package var answersAbandoned = 0
    /// Tokens written.
    package var tokens = 0

    package init() {}
}
