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

    /// False when the text does not end as the protocol demands; hiredis skips the end of a bulk string unread.
    fileprivate func addText(type: Int32, _ start: UnsafeMutablePointer<CChar>?, count: Int) -> Bool {
        let bytes = UnsafeRawBufferPointer(start: start, count: count)
        switch type {
        case REDIS_REPLY_STATUS:
            self.add(.simple(String(decoding: bytes, as: UTF8.self)))
        case REDIS_REPLY_ERROR:
            self.add(.error(String(decoding: bytes, as: UTF8.self)))
        default:
            // hiredis calls only when the two bytes behind a bulk string are in its buffer too.
            guard let start, start[count] == 0x0d, start[count + 1] == 0x0a else { return false }
            self.add(.bulk(ByteBuffer(bytes: bytes)))
        }
        return true
    }

    /// hiredis' table of functions; each finds its builder in the task's `privdata`.
    static func makeFunctions() -> redisReplyObjectFunctions {
        redisReplyObjectFunctions(
            createString: { task, bytes, count in
                ReplyBuilder.answer(task) { $0.addText(type: $1, bytes, count: count) }
            },
            createArray: { task, count in
                ReplyBuilder.answer(task) { builder, _ in
                    builder.openArray(count: Int(count))
                    return true
                }
            },
            createInteger: { task, number in
                ReplyBuilder.answer(task) { builder, _ in
                    builder.add(.integer(number))
                    return true
                }
            },
            createNil: { task in
                ReplyBuilder.answer(task) { builder, _ in
                    builder.add(.null)
                    return true
                }
            },
            freeObject: { _ in }
        )
    }

    /// Gives `body` the builder and the type; nil, which stops hiredis, when `body` is false.
    private static func answer(
        _ task: UnsafePointer<redisReadTask>?,
        _ body: (ReplyBuilder, Int32) -> Bool
    ) -> UnsafeMutableRawPointer? {
        guard let task, let pointer = task.pointee.privdata else { return nil }
        let builder = Unmanaged<ReplyBuilder>.fromOpaque(pointer).takeUnretainedValue()
        return body(builder, task.pointee.type) ? pointer : nil
    }
}
