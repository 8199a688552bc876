import Domain
import Foundation

/// One chat under way: reads the frames of its job and says when it has ended.
struct ChatProgress {
    private let order: ChatOrder
    private let sentAt: Moment
    private var checker: TokenChecker
    /// From `start`; every later frame must have it.
    private var job: [UInt8]?
    private var firstTokenAt: Moment?
    private var lastTokenAt: Moment?
    private var frames = 0
    private var snapshots = 0
    private var fault: String?

    init(_ order: ChatOrder, sentAt: Moment) {
        self.order = order
        self.sentAt = sentAt
        self.checker = TokenChecker(order)
    }

    /// Takes a frame; answers with the outcome when it was the last of the chat.
    mutating func take(_ frame: UnsafeRawBufferPointer) -> ChatOutcome? {
        guard let head = EventFrame.head(of: frame) else {
            self.note("a frame that is no event: \(Self.excerpt(frame))")
            return self.outcome()
        }
        if head.type != .start { self.checkJob(frame) }
        switch head.type {
        case .start: self.takeStart(frame)
        case .token: self.takeToken(frame)
        case .snapshot: self.takeSnapshot(frame)
        case .complete:
            self.takeComplete(frame)
            return self.outcome()
        case .error, .cancelled, .truncate:
            self.note("the job failed: \(Self.excerpt(frame))")
            return self.outcome()
        case .attempt, .reasoning, .progress, .action, .child: break
        }
        return nil
    }

    /// What there is when the connection ends before the chat.
    mutating func abandon(_ reason: String) -> ChatOutcome {
        self.note(reason)
        return self.outcome()
    }

    private mutating func takeStart(_ frame: UnsafeRawBufferPointer) {
        do {
            guard self.job == nil else { return self.note("a second start: \(Self.excerpt(frame))") }
            let start = try EventFrame(parsing: Array(frame))?.data(as: EventData.Start.self)
            self.job = start.map { Array($0.jobID.rawValue.utf8) }
        } catch {
            self.note("a start that cannot be read: \(Self.excerpt(frame))")
        }
    }

    /// The text of a token frame stands between `"token":"` and the last three characters.
    private mutating func takeToken(_ frame: UnsafeRawBufferPointer) {
        let key: StaticString = #""token":""#
        // The first occurrence is the event's type, `"event":"token"`, which no colon follows.
        guard let start = ByteSearch.first(key, in: frame), frame.count >= start + key.utf8CodeUnitCount + 3 else {
            return self.note("a token frame without text: \(Self.excerpt(frame))")
        }
        let now = Moment.now
        self.firstTokenAt = self.firstTokenAt ?? now
        self.lastTokenAt = now
        self.frames += 1
        let text = frame[(start + key.utf8CodeUnitCount)..<(frame.count - 3)]
        self.checker.take(UnsafeRawBufferPointer(rebasing: text))
    }

    private mutating func takeSnapshot(_ frame: UnsafeRawBufferPointer) {
        self.snapshots += 1
        do {
            guard let data = try EventFrame(parsing: Array(frame))?.data(as: EventData.Snapshot.self) else { return }
            self.checker.restart(with: data.text)
        } catch {
            self.note("a snapshot that cannot be read: \(Self.excerpt(frame))")
        }
    }

    /// The answer as a whole must have the same text.
    private mutating func takeComplete(_ frame: UnsafeRawBufferPointer) {
        self.checker.end()
        if ByteSearch.first(self.order.expected, in: frame) == nil {
            self.note("the complete answer has another text: \(Self.excerpt(frame))")
        }
    }

    private mutating func checkJob(_ frame: UnsafeRawBufferPointer) {
        guard let job = self.job else { return self.note("an event before start: \(Self.excerpt(frame))") }
        if ByteSearch.first(job, in: frame) == nil { self.note("an event of another job: \(Self.excerpt(frame))") }
    }

    private mutating func note(_ fault: String) {
        self.fault = self.fault ?? fault
    }

    private func outcome() -> ChatOutcome {
        ChatOutcome(
            sentAt: self.sentAt,
            firstTokenAt: self.firstTokenAt,
            lastTokenAt: self.lastTokenAt,
            endedAt: .now,
            stamp: self.checker.stamp,
            tokens: self.checker.tokens,
            frames: self.frames,
            snapshots: self.snapshots,
            fault: self.checker.fault ?? self.fault
        )
    }

    private static func excerpt(_ frame: UnsafeRawBufferPointer) -> String {
        String(decoding: frame.prefix(200), as: UTF8.self)
    }
}
