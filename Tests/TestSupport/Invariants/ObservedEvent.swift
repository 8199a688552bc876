package import Domain

/// An event as it lies in a job's log.
package struct ObservedEvent: Sendable, Equatable {
    package var id: EventID
    package var type: EventType?
    package var data: JSONValue

    /// `type` nil for an event that we do not know.
    package init(id: EventID, type: EventType?, data: JSONValue = .null) {
        self.id = id
        self.type = type
        self.data = data
    }
}
