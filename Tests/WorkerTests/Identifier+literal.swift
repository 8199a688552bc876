public import Domain

extension Identifier: ExpressibleByStringLiteral {
    /// An id as it stands in a test.
    public init(stringLiteral value: String) { self.init(rawValue: value) }
}
