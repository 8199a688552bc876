import NIOCore
import Testing

@testable import Redis

/// The pipeline's decisions, with waiters that are just names.
@Suite(.timeLimit(.minutes(1))) struct PipelineStateTests {
    private typealias Pipeline = PipelineState<String>

    private func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }

    private func pipeline(commandsMax: Int = 100, bytesMax: Int = 1000, ready: Bool = true) -> Pipeline {
        var pipeline = Pipeline(
            limits: .init(commandsMax: commandsMax, bytesMax: bytesMax, hungAfter: .milliseconds(1000))
        )
        if ready { _ = pipeline.connected(now: self.at(0)) }
        return pipeline
    }

    private func submission(
        _ name: String,
        commands: Int = 1,
        deadline: Int64 = 5000
    ) -> Pipeline.Submission {
        .init(
            commandCount: commands,
            bytes: ByteBuffer(string: name),
            name: name,
            deadline: self.at(deadline),
            waiter: name
        )
    }

    /// The id of an accepted submission.
    @discardableResult
    private func submit(_ pipeline: inout Pipeline, _ submission: Pipeline.Submission) throws -> UInt64 {
        guard case .accepted(let id, _, _) = pipeline.submit(submission) else {
            throw RedisError(.queueFull, submission.name)
        }
        return id
    }

    private func receive(_ pipeline: inout Pipeline, _ numbers: [Int64], now: Int64 = 1) throws -> [String] {
        var finished: [Pipeline.Finished] = []
        try pipeline.receive(numbers.map { .integer($0) }, now: self.at(now), finished: &finished)
        return finished.map { waiter, outcome in
            guard case .replies(let replies) = outcome else { return "\(waiter) failed" }
            return "\(waiter)=\(replies.compactMap(\.int).map(String.init).joined(separator: ","))"
        }
    }

    private func expire(
        _ pipeline: inout Pipeline,
        wake: Int64,
        now: Int64
    ) -> (failed: [String], next: NIODeadline?, hung: Bool) {
        var finished: [Pipeline.Finished] = []
        let (next, hung) = pipeline.expire(wake: self.at(wake), now: self.at(now), finished: &finished)
        return (self.codes(finished), next, hung)
    }

    private func cancel(_ pipeline: inout Pipeline, _ id: UInt64) -> [String] {
        self.codes(pipeline.cancel(id).map { [$0] } ?? [])
    }

    private func codes(_ finished: [Pipeline.Finished]) -> [String] {
        finished.map { waiter, outcome in
            guard case .failed(let error) = outcome else { return "\(waiter) succeeded" }
            return "\(waiter) \(error.code.rawValue)"
        }
    }

    private func written(_ pipeline: inout Pipeline, bytesMax: Int = 1000) -> [String] {
        pipeline.takeForWriting(bytesMax: bytesMax).map { String(buffer: $0) }
    }

    // MARK: Order

    @Test func `replies meet commands by position, batches get all of theirs`() throws {
        var pipeline = self.pipeline()
        try self.submit(&pipeline, self.submission("a"))
        try self.submit(&pipeline, self.submission("b", commands: 3))
        try self.submit(&pipeline, self.submission("c"))
        #expect(self.written(&pipeline) == ["a", "b", "c"])
        #expect(try self.receive(&pipeline, [1, 2]) == ["a=1"])
        #expect(try self.receive(&pipeline, [3]) == [])
        #expect(try self.receive(&pipeline, [4, 5]) == ["b=2,3,4", "c=5"])
        #expect(pipeline.pendingCommands == 0)
    }

    @Test func `one flush is asked for however many submit`() throws {
        var pipeline = self.pipeline()
        var flushes = 0
        for index in 0..<10 {
            if case .accepted(_, true, _) = pipeline.submit(self.submission("\(index)")) { flushes += 1 }
        }
        #expect(flushes == 1)
        #expect(self.written(&pipeline).count == 10)
        guard case .accepted(_, true, _) = pipeline.submit(self.submission("next")) else {
            Issue.record("the next submission asks for a flush again")
            return
        }
    }

    @Test func `a write takes about as much as allowed and leaves the rest in line`() throws {
        var pipeline = self.pipeline()
        for name in ["aaaa", "bbbb", "cccc"] { try self.submit(&pipeline, self.submission(name)) }
        #expect(self.written(&pipeline, bytesMax: 5) == ["aaaa", "bbbb"])
        #expect(pipeline.unsentBytes == 4)
        #expect(self.written(&pipeline, bytesMax: 5) == ["cccc"])
        #expect(pipeline.unsentBytes == 0)
    }

    @Test func `a reply that nobody asked for is a violation`() throws {
        var pipeline = self.pipeline()
        try self.submit(&pipeline, self.submission("a"))
        // Not sent yet, so nothing can be its reply.
        let error = #expect(throws: RedisError.self) { try self.receive(&pipeline, [1]) }
        #expect(error?.code == .protocolViolation)
    }

    // MARK: Giving up

    @Test func `a cancelled command that was sent keeps its place`() throws {
        var pipeline = self.pipeline()
        try self.submit(&pipeline, self.submission("a"))
        let cancelled = try self.submit(&pipeline, self.submission("b", commands: 2))
        try self.submit(&pipeline, self.submission("c"))
        _ = self.written(&pipeline)
        #expect(self.cancel(&pipeline, cancelled) == ["b cancelled"])
        #expect(self.cancel(&pipeline, cancelled) == [])
        #expect(try self.receive(&pipeline, [1, 2, 3, 4]) == ["a=1", "c=4"])
    }

    @Test func `a cancelled command that was not sent never is`() throws {
        var pipeline = self.pipeline()
        try self.submit(&pipeline, self.submission("a"))
        let cancelled = try self.submit(&pipeline, self.submission("bb"))
        try self.submit(&pipeline, self.submission("c"))
        #expect(self.cancel(&pipeline, cancelled) == ["bb cancelled"])
        #expect(pipeline.unsentBytes == 2)
        #expect(self.written(&pipeline) == ["a", "c"])
        #expect(try self.receive(&pipeline, [1, 2]) == ["a=1", "c=2"])
    }

    @Test func `a batch given up between its replies swallows the rest`() throws {
        var pipeline = self.pipeline()
        let batch = try self.submit(&pipeline, self.submission("a", commands: 3))
        try self.submit(&pipeline, self.submission("b"))
        _ = self.written(&pipeline)
        #expect(try self.receive(&pipeline, [1]) == [])
        #expect(self.cancel(&pipeline, batch) == ["a cancelled"])
        #expect(try self.receive(&pipeline, [2, 3, 4]) == ["b=4"])
    }

    @Test func `deadlines end waits, sent or not, and the replies still fall in place`() throws {
        var pipeline = self.pipeline()
        try self.submit(&pipeline, self.submission("a", deadline: 300))
        try self.submit(&pipeline, self.submission("b", deadline: 100))
        _ = self.written(&pipeline)
        try self.submit(&pipeline, self.submission("c", deadline: 50))
        try self.submit(&pipeline, self.submission("d", deadline: 400))
        let first = self.expire(&pipeline, wake: 50, now: 110)
        #expect(first.failed == ["c timeout", "b timeout"])
        #expect(first.next == self.at(300))
        #expect(self.written(&pipeline) == ["d"])
        #expect(try self.receive(&pipeline, [1, 2, 3]) == ["a=1", "d=3"])
    }

    @Test func `only the earliest wake is armed, and one that was replaced does nothing`() throws {
        var pipeline = self.pipeline()
        guard case .accepted(_, _, self.at(500)) = pipeline.submit(self.submission("a", deadline: 500)),
            case .accepted(_, _, nil) = pipeline.submit(self.submission("b", deadline: 600)),
            case .accepted(_, _, self.at(200)) = pipeline.submit(self.submission("c", deadline: 200))
        else {
            Issue.record("wakes")
            return
        }
        let stale = self.expire(&pipeline, wake: 500, now: 1000)
        #expect(stale.failed == [])
        #expect(stale.next == nil)
        #expect(Set(self.expire(&pipeline, wake: 200, now: 1000).failed) == ["a timeout", "b timeout", "c timeout"])
    }

    @Test func `wakes are at least 5 ms apart`() throws {
        var pipeline = self.pipeline()
        try self.submit(&pipeline, self.submission("a", deadline: 100))
        try self.submit(&pipeline, self.submission("b", deadline: 101))
        #expect(self.expire(&pipeline, wake: 100, now: 100).next == self.at(105))
    }

    // MARK: A dead connection

    @Test func `an oldest reply that is long overdue means a hung connection`() throws {
        var pipeline = self.pipeline()
        try self.submit(&pipeline, self.submission("a", deadline: 100))
        _ = self.written(&pipeline)
        let first = self.expire(&pipeline, wake: 100, now: 100)
        #expect(first.failed == ["a timeout"])
        #expect(!first.hung)
        #expect(first.next == self.at(1100))
        #expect(self.expire(&pipeline, wake: 1100, now: 1100).hung)
    }

    @Test func `a connection that moves is not hung, nor is one that is allowed to block`() throws {
        var pipeline = self.pipeline()
        try self.submit(&pipeline, self.submission("blocking", deadline: 30_000))
        try self.submit(&pipeline, self.submission("b", deadline: 100))
        try self.submit(&pipeline, self.submission("c", deadline: 100))
        _ = self.written(&pipeline)
        #expect(!self.expire(&pipeline, wake: 100, now: 5000).hung)
        #expect(try self.receive(&pipeline, [1], now: 29_000) == ["blocking=1"])
        // b is overdue since long, but the server could only now turn to it.
        #expect(!self.expire(&pipeline, wake: 30_000, now: 29_500).hung)
        #expect(try self.receive(&pipeline, [2], now: 29_800) == [])
        let later = self.expire(&pipeline, wake: 30_000, now: 30_000)
        #expect(!later.hung)
        #expect(later.next == self.at(30_800))
        #expect(self.expire(&pipeline, wake: 30_800, now: 30_800).hung)
    }

    // MARK: Losing and closing

    @Test func `a loss fails what was sent and keeps what was not`() throws {
        var pipeline = self.pipeline()
        try self.submit(&pipeline, self.submission("a", commands: 2))
        _ = self.written(&pipeline)
        try self.submit(&pipeline, self.submission("b"))
        _ = try self.receive(&pipeline, [1])
        let lost = pipeline.disconnected(RedisError(.notConnected, "gone"))
        #expect(self.codes(lost) == ["a connectionLost"])
        #expect(self.written(&pipeline) == [])
        #expect(pipeline.pendingCommands == 1)
        let flush = pipeline.connected(now: self.at(10))
        #expect(flush)
        #expect(self.written(&pipeline) == ["b"])
        #expect(try self.receive(&pipeline, [7]) == ["b=7"])
    }

    @Test func `who waits in vain for a connection is told why there is none`() throws {
        var pipeline = self.pipeline(ready: false)
        _ = pipeline.disconnected(RedisError(.authentication, "WRONGPASS"))
        _ = pipeline.submit(self.submission("a", deadline: 10))
        #expect(self.expire(&pipeline, wake: 10, now: 10).failed == ["a authentication"])
        _ = pipeline.disconnected(RedisError(.notConnected, "refused"))
        _ = pipeline.submit(self.submission("b", deadline: 20))
        #expect(self.expire(&pipeline, wake: 20, now: 20).failed == ["b notConnected"])
    }

    @Test func `closing answers everybody and accepts nobody`() throws {
        var pipeline = self.pipeline()
        try self.submit(&pipeline, self.submission("a"))
        _ = self.written(&pipeline)
        try self.submit(&pipeline, self.submission("b"))
        let closed = pipeline.close()
        #expect(self.codes(closed) == ["a closed", "b closed"])
        let again = pipeline.close()
        #expect(again.isEmpty)
        guard case .refused(let error) = pipeline.submit(self.submission("c")) else {
            Issue.record("a closed pipeline refuses")
            return
        }
        #expect(error.code == .closed)
        let flush = pipeline.connected(now: self.at(1))
        #expect(!flush)
    }

    // MARK: Bounds

    @Test func `abandoned commands count until their replies come`() throws {
        var pipeline = self.pipeline(commandsMax: 3)
        let id = try self.submit(&pipeline, self.submission("a", commands: 3))
        _ = self.written(&pipeline)
        _ = pipeline.cancel(id)
        guard case .refused(let error) = pipeline.submit(self.submission("b")) else {
            Issue.record("the fourth command is refused")
            return
        }
        #expect(error.code == .queueFull)
        _ = try self.receive(&pipeline, [1])
        try self.submit(&pipeline, self.submission("b"))
    }

    @Test func `unsent bytes are bounded`() throws {
        var pipeline = self.pipeline(bytesMax: 10, ready: false)
        try self.submit(&pipeline, self.submission("12345678"))
        guard case .refused(let error) = pipeline.submit(self.submission("123")) else {
            Issue.record("the eleventh byte is refused")
            return
        }
        #expect(error.code == .queueFull)
    }

    /// A model of the server (a counter per sent command) against thousands of random steps.
    @Test(arguments: 1...20)
    func `whatever happens, a reply never meets another's command`(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var pipeline = self.pipeline(commandsMax: 50, bytesMax: 400)
        var wire: [Int64] = []
        var alive: [UInt64] = []
        for step in 1...3000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let number = Int64(step)
                if case .accepted(let id, _, _) = pipeline.submit(self.submission("\(number)")) { alive.append(id) }
            case 4..<6:
                wire += self.written(&pipeline, bytesMax: 20).compactMap { Int64($0) }
            case 6..<8:
                let count = Int.random(in: 0...wire.count, using: &random)
                for entry in try self.receive(&pipeline, Array(wire.prefix(count))) {
                    let sides = entry.split(separator: "=")
                    #expect(sides.count == 2 && sides[0] == sides[1])
                }
                wire.removeFirst(count)
            case 8:
                if let id = alive.randomElement(using: &random) { _ = pipeline.cancel(id) }
            default:
                guard Int.random(in: 0..<10, using: &random) == 0 else { continue }
                _ = pipeline.disconnected(RedisError(.notConnected, "gone"))
                wire = []
                _ = pipeline.connected(now: self.at(1))
            }
        }
        wire += self.written(&pipeline).compactMap { Int64($0) }
        _ = try self.receive(&pipeline, wire)
        #expect(pipeline.pendingCommands == 0)
        #expect(pipeline.unsentBytes == 0)
    }
}
