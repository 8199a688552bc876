public import Foundation

/// The one way in which values become JSON and back: compact, keys in a stable order, slashes not escaped.
public enum JSON {
    /// Encodes a value of ours.
    ///
    /// Times are `Timestamp`s, so no strategy is needed.
    public static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    /// Encodes a value of ours as text.
    public static func text(_ value: some Encodable) throws -> String {
        String(decoding: try Self.encode(value), as: UTF8.self)
    }

    /// Decodes a value from bytes; throws `DecodingError`.
    public static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        try JSONDecoder().decode(type, from: data)
    }

    /// Decodes a value from text; throws `DecodingError`.
    public static func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
        try Self.decode(type, from: Data(text.utf8))
    }
}
