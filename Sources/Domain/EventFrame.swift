import Foundation

/// An event as bytes: `{"id":"<epoch>-<seq>","event":"<type>","data":{…}}`, exactly as the log, the bus and every client
/// have it.
///
/// A worker encodes a frame once; whoever passes it on reads only the head, which always has this form.
public struct EventFrame: Hashable, Sendable {
    /// The event's place in the log.
    public let id: EventID
    /// What it says.
    public let type: EventType
    /// The whole frame, UTF-8 JSON.
    public let bytes: [UInt8]

    /// Encodes an event whose data is a value.
    public init(id: EventID, type: EventType, data: some Encodable) throws {
        self.id = id
        self.type = type
        let data = try JSON.encode(data)
        self.bytes = Self.bytes(id: id, type: type, dataBytes: data.count) { $0.raw(data) }
    }

    /// Encodes a piece of text, `token` or `reasoning`: the token path, written by hand.
    public init(id: EventID, type: EventType, text: String, jobID: JobID) {
        self.id = id
        self.type = type
        self.bytes = Self.bytes(id: id, type: type, dataBytes: text.utf8.count + 64) { writer in
            writer.object { data in
                data.member("job_id", jobID.rawValue)
                data.member("token", text)
            }
        }
    }

    /// Takes a frame that was read, with the head that was found in it.
    package init(id: EventID, type: EventType, bytes: [UInt8]) {
        self.id = id
        self.type = type
        self.bytes = bytes
    }

    private static func bytes(
        id: EventID,
        type: EventType,
        dataBytes: Int,
        data: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: dataBytes + 96)
        writer.object { frame in
            frame.member("id", id.description)
            frame.member("event", type.rawValue)
            frame.name("data")
            data(&frame)
        }
        return writer.bytes
    }
}

extension EventFrame {
    /// Reads the head of a frame and keeps its bytes; nil when they do not have the form.
    public init?(parsing bytes: [UInt8]) {
        guard let head = Self.head(of: bytes) else { return nil }
        self.init(id: head.id, type: head.type, bytes: bytes)
    }

    /// The id and type of a frame, read from its head alone; nil when the bytes do not have the form.
    public static func head(of bytes: some Collection<UInt8>) -> (id: EventID, type: EventType)? {
        guard let afterID = bytes.dropping(prefix: #"{"id":""#),
            let idEnd = afterID.firstIndex(of: UInt8(ascii: "\"")),
            let id = EventID(utf8: afterID[..<idEnd]),
            let afterType = afterID[idEnd...].dropping(prefix: #"","event":""#),
            let typeEnd = afterType.firstIndex(of: UInt8(ascii: "\"")),
            let type = EventType(rawValue: String(decoding: afterType[..<typeEnd], as: UTF8.self))
        else { return nil }
        return (id, type)
    }

    /// The data of a frame as it stands in it: what follows the head, without the closing brace; nil when the bytes do
    /// not have the form.
    public static func data<Bytes: BidirectionalCollection<UInt8>>(of bytes: Bytes) -> Bytes.SubSequence? {
        guard let head = Self.head(of: bytes) else { return nil }
        let headCount =
            #"{"id":"","event":""#.utf8.count
            + head.id.description.utf8.count + head.type.rawValue.utf8.count
        guard let data = bytes.dropFirst(headCount).dropping(prefix: #"","data":"#), data.last == UInt8(ascii: "}")
        else { return nil }
        return data.dropLast()
    }

    /// Decodes the frame's data.
    public func data<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSON.decode(Envelope<Value>.self, from: Data(self.bytes)).data
    }

    private struct Envelope<Value: Decodable>: Decodable {
        var data: Value
    }
}

extension Collection<UInt8> {
    fileprivate func dropping(prefix: StaticString) -> SubSequence? {
        let count = prefix.utf8CodeUnitCount
        let matches = prefix.withUTF8Buffer { self.prefix(count).elementsEqual($0) }
        return matches ? self.dropFirst(count) : nil
    }
}
