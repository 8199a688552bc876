package import Domain

/// The events that a run's writer had not sent when it was closed; they go with the terminal event.
package struct LogRemainder: Sendable {
    package var frames: [EventFrame]
    /// Whether the log is made by them.
    package var createsLog: Bool

    package init(frames: [EventFrame] = [], createsLog: Bool = false) {
        self.frames = frames
        self.createsLog = createsLog
    }
}
