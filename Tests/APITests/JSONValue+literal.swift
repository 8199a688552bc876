public import Domain

extension JSONValue: ExpressibleByStringLiteral {
    /// A string as it stands in a test.
    public init(stringLiteral value: String) { self = .string(value) }
}
