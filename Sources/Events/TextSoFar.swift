import Domain

/// The text of a run's current iteration, as its events told it: what a `snapshot` says.
struct TextSoFar {
    /// A snapshot is due after so many events, so that a log that was trimmed at its head still tells the whole text.
    static let snapshotInterval = 16_384

    private let job: JobID
    private var text = ""
    private var reasoning = ""
    private var iteration = 0
    private var sinceSnapshot = 0

    init(job: JobID) {
        self.job = job
    }

    mutating func apply(_ item: PendingEvents.Item) {
        self.sinceSnapshot += 1
        switch item {
        case .text(.reasoning, let text): self.reasoning += text
        case .text(_, let text): self.text += text
        case .data(_, let progress as EventData.Iteration):
            self.iteration = progress.iteration
            self.text = ""
            self.reasoning = ""
        case .data(.truncate, _), .truncateIteration:
            self.text = ""
            self.reasoning = ""
        case .data: break
        }
    }

    var isSnapshotDue: Bool { self.sinceSnapshot >= Self.snapshotInterval }

    mutating func snapshot(id: EventID) -> EventFrame? {
        self.sinceSnapshot = 0
        let data = EventData.Snapshot(
            jobID: self.job,
            text: self.text,
            reasoning: self.reasoning.isEmpty ? nil : self.reasoning,
            iteration: self.iteration
        )
        // Strings and a number: there is nothing in it that could fail to encode.
        return try? EventFrame(id: id, type: .snapshot, data: data)
    }
}
