import CHiredis
import NIOCore

/// Turns hiredis' callbacks into `RedisValue`s, without objects on the C side that somebody would have to free.
///
/// hiredis only wants a non-null pointer for each object; it gets the builder's own. The nesting is kept here.
/// Confined to the reader that owns it.
final class ReplyBuilder {
    private struct OpenArray {
        var elements: [RedisValue]
        var missing: Int
    }

    private var open: [OpenArray] = []
    private var root: RedisValue?

    /// The finished reply, once.
    func take() -> RedisValue? {
        defer { self.root = nil }
        return self.root
    }

    fileprivate func add(_ value: RedisValue) {
        var value = value
        while let top = self.open.indices.last {
            self.open[top].elements.append(value)
            self.open[top].missing -= 1
            if self.open[top].missing > 0 { return }
            value = .array(self.open.removeLast().elements)
        }
        self.root = value
    }

    fileprivate func openArray(count: Int) {
        guard count > 0 else { return self.add(.array([])) }
        var elements: [RedisValue] = []
        // The count is the server's claim: room for a usual one, and no more on trust.
        elements.reserveCapacity(min(count, 256))
        self.open.append(OpenArray(elements: elements, missing: count))
    }

    /// hiredis' table of functions; each finds its builder in the task's `privdata`.
    static func makeFunctions() -> redisReplyObjectFunctions {
        redisReplyObjectFunctions(
            createString: { task, bytes, count in
                ReplyBuilder.of(task) { $0.add(.make(type: $1, UnsafeRawBufferPointer(start: bytes, count: count))) }
            },
            createArray: { task, count in ReplyBuilder.of(task) { builder, _ in builder.openArray(count: Int(count)) } },
            createInteger: { task, number in ReplyBuilder.of(task) { builder, _ in builder.add(.integer(number)) } },
            createNil: { task in ReplyBuilder.of(task) { builder, _ in builder.add(.null) } },
            freeObject: { _ in }
        )
    }

    private static func of(
        _ task: UnsafePointer<redisReadTask>?, _ body: (ReplyBuilder, Int32) -> Void
    ) -> UnsafeMutableRawPointer? {
        guard let task, let pointer = task.pointee.privdata else { return nil }
        body(Unmanaged<ReplyBuilder>.fromOpaque(pointer).takeUnretainedValue(), task.pointee.type)
        return pointer
    }
}

extension RedisValue {
    fileprivate static func make(type: Int32, _ bytes: UnsafeRawBufferPointer) -> RedisValue {
        switch type {
        case REDIS_REPLY_STATUS: .simple(String(decoding: bytes, as: UTF8.self))
        case REDIS_REPLY_ERROR: .error(String(decoding: bytes, as: UTF8.self))
        default: .bulk(ByteBuffer(bytes: bytes))
        }
    }
}
