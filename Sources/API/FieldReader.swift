import Domain
import Foundation
import PenguinAPI

/// Reads the fields of a JSON object and collects everything that is wrong with them, so that one answer names it all.
struct FieldReader {
    /// The body is no JSON object.
    struct NotAnObject: Error {
        let message: String
    }

    private let fields: [String: JSONValue]
    private(set) var problems: [PenguinError.Problem] = []

    init(_ fields: [String: JSONValue]) {
        self.fields = fields
    }

    init(json: Data) throws(NotAnObject) {
        let value: JSONValue
        do {
            value = try JSON.decode(JSONValue.self, from: json)
        } catch {
            throw NotAnObject(message: "The body is not valid JSON in UTF-8.")
        }
        guard let object = value.object else { throw NotAnObject(message: "The body must be a JSON object.") }
        self.init(object)
    }

    /// Whether the field is there and not null.
    func has(_ name: String) -> Bool { (self.fields[name] ?? .null) != .null }

    /// The field as it stands, null included; nil when it is not there.
    func value(_ name: String) -> JSONValue? { self.fields[name] }

    subscript(_ name: String) -> JSONValue? { self.has(name) ? self.fields[name] : nil }

    mutating func string(_ name: String) -> String? {
        self.read(name, "a string") { $0.string }
    }

    mutating func requiredString(_ name: String) -> String {
        if !self.has(name) {
            self.refuse(name, "is required", type: "missing")
            return ""
        }
        return self.string(name) ?? ""
    }

    mutating func bool(_ name: String) -> Bool? {
        self.read(name, "true or false") { if case .bool(let value) = $0 { value } else { nil } }
    }

    mutating func integer(_ name: String) -> Int? {
        self.read(name, "a whole number") { if case .integer(let value) = $0 { Int(value) } else { nil } }
    }

    /// A number of seconds, fractions allowed.
    mutating func seconds(_ name: String, in range: ClosedRange<Int>) -> Duration? {
        let seconds = self.read(name, "a number") { value -> Double? in
            switch value {
            case .integer(let number): Double(number)
            case .number(let number): number
            default: nil
            }
        }
        guard let seconds else { return nil }
        // Looked at before it becomes a duration, which traps on what is out of its range.
        guard seconds >= Double(range.lowerBound), seconds <= Double(range.upperBound) else {
            self.refuse(name, "must be from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return .milliseconds(Int64((seconds * 1000).rounded()))
    }

    mutating func time(_ name: String) -> Timestamp? {
        guard let text = self.string(name) else { return nil }
        if let time = Timestamp(rfc3339: text) { return time }
        self.refuse(name, "must be a time such as 2026-01-31T12:00:00Z (RFC 3339)")
        return nil
    }

    /// One of a closed list of names.
    mutating func choice<Value>(_ name: String, of names: [String], _ convert: (String) -> Value?) -> Value? {
        guard let text = self.string(name) else { return nil }
        if let value = convert(text) { return value }
        self.refuse(name, "must be one of \(names.joined(separator: ", "))")
        return nil
    }

    mutating func object(_ name: String) -> [String: JSONValue]? {
        self.read(name, "an object") { $0.object }
    }

    mutating func refuse(_ name: String, _ message: String, type: String = "value") {
        self.problems.append(.init(loc: ["body", name], msg: message, type: type))
    }

    /// Throws what was found wrong, if anything was.
    func check() throws(PenguinError) {
        guard self.problems.isEmpty else {
            throw PenguinError(.invalid, "The request cannot be accepted.", problems: self.problems)
        }
    }

    private mutating func read<Value>(
        _ name: String,
        _ expected: String,
        _ convert: (JSONValue) -> Value?
    ) -> Value? {
        guard let value = self[name] else { return nil }
        if let converted = convert(value) { return converted }
        self.refuse(name, "must be \(expected)", type: "type")
        return nil
    }
}
