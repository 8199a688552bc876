/// One client that followed a job, over however many connections.
package struct ObservedFollower: Sendable {
    /// Who it was, for people.
    package var name: String
    /// What it knew at last.
    package var transcript: ChatTranscript
    /// Connections that it took.
    package var connections: Int

    package init(name: String, transcript: ChatTranscript, connections: Int = 1) {
        self.name = name
        self.transcript = transcript
        self.connections = connections
    }
}
