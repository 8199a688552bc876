/// The events of one turn, pulled by their reader; one reader, once.
///
/// Throws `ModelError` and nothing else. A fault that came before the first event is thrown by the first `next`, so
/// the reader knows by what it holds whether the turn had begun.
package struct ModelEventStream: AsyncSequence, Sendable {
    package typealias Element = ModelEvent
    package typealias Failure = ModelError

    private let makeSource: @Sendable () -> any ModelEventSource

    /// A stream over a source that is made when reading begins.
    package init(_ makeSource: @escaping @Sendable () -> any ModelEventSource) {
        self.makeSource = makeSource
    }

    /// A stream of events that are known already, ended by `error` if there is one.
    package init(_ events: [ModelEvent], error: ModelError? = nil) {
        self.init { ListedEvents(events: events, error: error) }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: self.makeSource())
    }

    /// Reads event by event.
    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var source: any ModelEventSource

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(ModelError) -> ModelEvent? {
            try await self.source.next(isolation: actor)
        }
    }
}

/// Where the events of one turn come from.
package protocol ModelEventSource {
    /// The next event, nil after `finish`.
    mutating func next(isolation actor: isolated (any Actor)?) async throws(ModelError) -> ModelEvent?
}

private struct ListedEvents: ModelEventSource {
    var events: [ModelEvent]
    var error: ModelError?
    var position = 0

    mutating func next(isolation actor: isolated (any Actor)?) async throws(ModelError) -> ModelEvent? {
        guard !Task.isCancelled else { throw .cancelled }
        if self.position < self.events.count {
            defer { self.position += 1 }
            return self.events[self.position]
        }
        if let error = self.error.take() { throw error }
        return nil
    }
}
