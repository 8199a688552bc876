import DequeModule
import NIOCore

/// How a submission ended.
enum PipelineOutcome: Sendable, Equatable {
    /// As many as the submission has commands.
    case replies([RedisValue])
    case failed(RedisError)
}

/// The logic of a pipelined connection, without the connection: who waits, in which order, and until when.
///
/// Commands wait in `unsent` and then, in the same order, in `sent`, where replies meet them by position. A caller who
/// gives up leaves its place in `sent` behind (abandoned), because the reply will still come; in `unsent` the command
/// just vanishes. Every function decides and returns what is to be done; nothing here calls anybody.
struct PipelineState<Waiter: Sendable>: Sendable {
    struct Limits: Sendable {
        var commandsMax: Int
        var bytesMax: Int
        var hungAfter: TimeAmount
    }

    /// What one call asks for: a single command or a batch.
    struct Submission: Sendable {
        var commandCount: Int
        var bytes: ByteBuffer
        /// For messages: the first command.
        var name: String
        var deadline: NIODeadline
        var waiter: Waiter
    }

    typealias Outcome = PipelineOutcome
    typealias Finished = (waiter: Waiter, outcome: Outcome)

    enum Acceptance: Equatable {
        /// `flush`: a flush is to be scheduled. `wake`: `expire` is to be called then.
        case accepted(id: UInt64, flush: Bool, wake: NIODeadline?)
        case refused(RedisError)
    }

    private enum Phase {
        case disconnected, ready, closed
    }

    private struct Unsent {
        var id: UInt64
        var submission: Submission
    }

    private struct Sent {
        var id: UInt64
        var deadline: NIODeadline
        var name: String
        /// Replies still to come.
        var missing: Int
        var replies: [RedisValue] = []
        /// Nil: abandoned; the replies are dropped.
        var waiter: Waiter?
    }

    let limits: Limits
    private var phase = Phase.disconnected
    private var unsent: Deque<Unsent> = []
    private var sent: Deque<Sent> = []
    private var lastID: UInt64 = 0
    private var flushScheduled = false
    /// When `expire` will be called next; nil while nobody waits.
    private var wakeAt: NIODeadline?
    /// When bytes last arrived, or the connection became ready.
    private var heardAt = NIODeadline.uptimeNanoseconds(0)
    /// Why there is no connection, for the message of those who waited for one in vain.
    private var lastFailure: RedisError?
    /// Commands accepted and not answered, abandoned ones included; at most `limits.commandsMax`.
    private(set) var pendingCommands = 0
    /// Bytes of `unsent`; at most `limits.bytesMax`.
    private(set) var unsentBytes = 0

    init(limits: Limits) {
        self.limits = limits
    }

    var isReady: Bool { self.phase == .ready }

    /// Puts a submission at the end of the line.
    mutating func submit(_ submission: Submission) -> Acceptance {
        guard self.phase != .closed else { return .refused(RedisError(.closed, "the client is closed")) }
        guard self.pendingCommands + submission.commandCount <= self.limits.commandsMax else {
            return .refused(RedisError(.queueFull, "\(self.pendingCommands) commands wait for their replies"))
        }
        guard self.unsentBytes + submission.bytes.readableBytes <= self.limits.bytesMax else {
            return .refused(RedisError(.queueFull, "\(self.unsentBytes) bytes wait to be sent"))
        }
        self.lastID += 1
        self.pendingCommands += submission.commandCount
        self.unsentBytes += submission.bytes.readableBytes
        self.unsent.append(Unsent(id: self.lastID, submission: submission))
        return .accepted(id: self.lastID, flush: self.shouldScheduleFlush(), wake: self.wakeChange(submission.deadline))
    }

    /// Moves submissions from `unsent` to `sent`, about `bytesMax` of them, and returns what is to be written, in order.
    mutating func takeForWriting(bytesMax: Int) -> [ByteBuffer] {
        self.flushScheduled = false
        guard self.phase == .ready else { return [] }
        var pieces: [ByteBuffer] = []
        var bytes = 0
        while bytes < bytesMax, let next = self.unsent.popFirst() {
            let submission = next.submission
            bytes += submission.bytes.readableBytes
            pieces.append(submission.bytes)
            self.sent.append(
                Sent(
                    id: next.id,
                    deadline: submission.deadline,
                    name: submission.name,
                    missing: submission.commandCount,
                    waiter: submission.waiter
                )
            )
        }
        self.unsentBytes -= bytes
        return pieces
    }

    /// Gives replies to the oldest places in `sent` and appends those who have all of theirs to `finished`.
    ///
    /// Also called with no replies, when bytes of an unfinished one came. Throws `.protocolViolation` for a reply that
    /// nobody asked for: positions can no longer be trusted, so the connection must go.
    mutating func receive(
        _ replies: [RedisValue],
        now: NIODeadline,
        finished: inout [Finished]
    ) throws(RedisError) {
        self.heardAt = now
        for reply in replies {
            guard !self.sent.isEmpty else {
                throw RedisError(.protocolViolation, "the server sent a reply that no command asked for")
            }
            self.pendingCommands -= 1
            self.sent[0].missing -= 1
            if self.sent[0].waiter != nil { self.sent[0].replies.append(reply) }
            guard self.sent[0].missing == 0 else { continue }
            let done = self.sent.removeFirst()
            if let waiter = done.waiter { finished.append((waiter, .replies(done.replies))) }
        }
    }

    /// Takes the caller out of the line; nil when it has its outcome already.
    mutating func cancel(_ id: UInt64) -> Finished? {
        if let index = Self.index(of: id, in: self.unsent, by: \.id) {
            let waiter = self.removeUnsent(at: index).waiter
            return (waiter, .failed(RedisError(.cancelled, "cancelled before it was sent")))
        }
        guard let index = Self.index(of: id, in: self.sent, by: \.id), let waiter = self.abandon(at: index) else {
            return nil
        }
        return (waiter, .failed(RedisError(.cancelled, "cancelled after it was sent; it may have been executed")))
    }

    /// Ends the waits that are over at `now`.
    ///
    /// Does nothing for a `wake` that an earlier one has replaced. `next` is when to call again. `hung` means that the
    /// oldest reply is overdue by `hungAfter` and nothing came meanwhile: the connection is to be closed.
    mutating func expire(
        wake: NIODeadline,
        now: NIODeadline,
        finished: inout [Finished]
    ) -> (next: NIODeadline?, hung: Bool) {
        guard wake == self.wakeAt else { return (nil, false) }
        self.expireUnsent(now, finished: &finished)
        for index in self.sent.indices where self.sent[index].deadline <= now {
            let name = self.sent[index].name
            guard let waiter = self.abandon(at: index) else { continue }
            let error = RedisError(.timeout, "no reply to \(name) in time; it may have been executed")
            finished.append((waiter, .failed(error)))
        }
        let hungAt = self.hungAt
        let hung = hungAt.map { $0 <= now } ?? false
        let deadlines = self.unsent.lazy.map(\.submission.deadline).min()
        let replies = self.sent.lazy.filter { $0.waiter != nil }.map(\.deadline).min()
        let earliest = [deadlines, replies, hung ? nil : hungAt].compactMap(\.self).min()
        // Not more often than every 5 ms, however many deadlines lie side by side.
        self.wakeAt = earliest.map { max($0, now + .milliseconds(5)) }
        return (self.wakeAt, hung)
    }

    /// The connection is greeted and can be written to; true if a flush is to be done.
    mutating func connected(now: NIODeadline) -> Bool {
        guard self.phase == .disconnected else { return false }
        self.phase = .ready
        self.heardAt = now
        self.lastFailure = nil
        return self.shouldScheduleFlush()
    }

    /// The connection is gone, or an attempt failed: what was sent fails, what was not keeps waiting.
    mutating func disconnected(_ error: RedisError) -> [Finished] {
        guard self.phase != .closed else { return [] }
        self.phase = .disconnected
        self.flushScheduled = false
        self.lastFailure = error
        return self.failSent(
            RedisError(
                .connectionLost,
                "the connection was lost (\(error.message)); the command may have been executed"
            )
        )
    }

    /// Nothing is accepted any more and everybody gets an answer.
    mutating func close() -> [Finished] {
        guard self.phase != .closed else { return [] }
        self.phase = .closed
        var finished = self.failSent(RedisError(.closed, "the client was closed; the command may have been executed"))
        let error = RedisError(.closed, "the client was closed before the command was sent")
        finished += self.unsent.map { ($0.submission.waiter, .failed(error)) }
        self.unsent = []
        self.unsentBytes = 0
        self.pendingCommands = 0
        self.wakeAt = nil
        return finished
    }
}

extension PipelineState {
    private mutating func shouldScheduleFlush() -> Bool {
        guard self.phase == .ready, !self.flushScheduled, !self.unsent.isEmpty else { return false }
        self.flushScheduled = true
        return true
    }

    private mutating func wakeChange(_ deadline: NIODeadline) -> NIODeadline? {
        if let wakeAt = self.wakeAt, wakeAt <= deadline { return nil }
        self.wakeAt = deadline
        return deadline
    }

    private var hungAt: NIODeadline? {
        self.sent.first.map { max($0.deadline, self.heardAt) + self.limits.hungAfter }
    }

    private mutating func expireUnsent(_ now: NIODeadline, finished: inout [Finished]) {
        guard self.unsent.contains(where: { $0.submission.deadline <= now }) else { return }
        for index in self.unsent.indices.reversed() where self.unsent[index].submission.deadline <= now {
            let submission = self.removeUnsent(at: index)
            finished.append((submission.waiter, .failed(self.neverSent(submission.name))))
        }
    }

    private func neverSent(_ name: String) -> RedisError {
        guard self.phase != .ready else {
            return RedisError(.timeout, "\(name) was not sent in time: the server does not read")
        }
        return .noConnection(for: name, because: self.lastFailure)
    }

    private mutating func removeUnsent(at index: Int) -> Submission {
        let submission = self.unsent.remove(at: index).submission
        self.unsentBytes -= submission.bytes.readableBytes
        self.pendingCommands -= submission.commandCount
        return submission
    }

    private mutating func abandon(at index: Int) -> Waiter? {
        defer {
            self.sent[index].waiter = nil
            self.sent[index].replies = []
        }
        return self.sent[index].waiter
    }

    private mutating func failSent(_ error: RedisError) -> [Finished] {
        let finished = self.sent.compactMap { entry in entry.waiter.map { ($0, Outcome.failed(error)) } }
        self.pendingCommands -= self.sent.reduce(0) { $0 + $1.missing }
        self.sent = []
        return finished
    }

    /// Ids ascend in both lines, so a place is found by halving.
    private static func index<Element>(
        of id: UInt64,
        in line: Deque<Element>,
        by key: KeyPath<Element, UInt64>
    ) -> Int? {
        var low = 0
        var high = line.count
        while low < high {
            let middle = (low + high) / 2
            if line[middle][keyPath: key] < id { low = middle + 1 } else { high = middle }
        }
        return low < line.count && line[low][keyPath: key] == id ? low : nil
    }
}
