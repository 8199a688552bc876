/// The place of an event in its job's log: `<epoch>-<sequence>`, which is also a client's cursor.
///
/// Sequences are dense inside an epoch and start at 0, so a reader sees a gap by arithmetic. The first event of every
/// log is `0-1`. Redis: stream ids.
public struct EventID: Hashable, Comparable, Sendable {
    /// The epoch of the lease under which the event was written.
    public var epoch: Int64
    /// The event's number in its epoch.
    public var sequence: Int64

    /// The id with its parts.
    public init(epoch: Int64, sequence: Int64) {
        self.epoch = epoch
        self.sequence = sequence
    }

    /// Before every event: the cursor of a client that has seen nothing.
    public static let zero = EventID(epoch: 0, sequence: 0)
    /// The `start` event, written when the job is submitted.
    public static let start = EventID(epoch: 0, sequence: 1)

    /// The id that follows in the same epoch.
    public var next: EventID { EventID(epoch: self.epoch, sequence: self.sequence + 1) }

    /// By epoch, then by sequence.
    public static func < (left: EventID, right: EventID) -> Bool {
        left.epoch != right.epoch ? left.epoch < right.epoch : left.sequence < right.sequence
    }
}

extension EventID: LosslessStringConvertible, Codable {
    /// The text `<epoch>-<sequence>`.
    public var description: String { "\(self.epoch)-\(self.sequence)" }

    /// Parses `<epoch>-<sequence>`, both decimal and not negative.
    public init?(_ description: String) {
        self.init(utf8: description.utf8)
    }

    /// Parses `<epoch>-<sequence>` from bytes.
    public init?(utf8 bytes: some Sequence<UInt8>) {
        var parts: [Int64] = [0, 0]
        var part = 0
        var digits = 0
        for byte in bytes {
            if byte == UInt8(ascii: "-"), part == 0, digits > 0 {
                part = 1
                digits = 0
            } else {
                guard (48...57).contains(byte), digits < 18 else { return nil }
                parts[part] = parts[part] * 10 + Int64(byte - 48)
                digits += 1
            }
        }
        guard part == 1, digits > 0 else { return nil }
        self.init(epoch: parts[0], sequence: parts[1])
    }

    /// Reads the text.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = EventID(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is not <epoch>-<sequence>")
            )
        }
        self = id
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}
