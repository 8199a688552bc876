/// The header lines of an answer, looked up without regard to case.
package struct OutboundHeaders: Sendable, Equatable {
    private var lines: [Line] = []

    private struct Line: Sendable, Equatable {
        var name: String
        var value: String
    }

    /// No headers.
    package init() {}

    /// The value of the first line of that name.
    package subscript(name: String) -> String? {
        let wanted = name.lowercased()
        return self.lines.first { $0.name == wanted }?.value
    }

    /// All values of that name, in the order in which they came.
    package func values(of name: String) -> [String] {
        let wanted = name.lowercased()
        return self.lines.filter { $0.name == wanted }.map(\.value)
    }

    mutating func append(name: String, value: String) {
        self.lines.append(Line(name: name.lowercased(), value: value))
    }
}
