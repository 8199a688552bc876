import Foundation

/// What is known of who reads the output.
enum Terminal {
    /// How text looks from here on, as the number that terminals know it by.
    enum Colour: Int {
        case plain = 0
        case faint = 2
        case red = 31
        case green = 32
        case yellow = 33
        case grey = 90
    }

    private static let isTerminal = isatty(STDOUT_FILENO) == 1

    /// Colours are for people who look on, and have not said that they want none (no-color.org).
    private static let hasColours: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return Self.isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }()

    static func show(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }

    static func show(line bytes: Data) {
        FileHandle.standardOutput.write(bytes + Data("\n".utf8))
    }

    /// In place of what was shown before, where the output is a screen; else after it.
    static func redraw(_ text: String) {
        self.show(self.isTerminal ? "\u{1B}[H\u{1B}[2J\(text)" : text + "\n")
    }

    static func painted(_ text: String, _ colour: Colour?) -> String {
        guard let colour else { return text }
        return self.escape(colour) + text + self.escape(.plain)
    }

    /// Nothing where colours are not wanted.
    static func escape(_ colour: Colour) -> String { self.hasColours ? "\u{1B}[\(colour.rawValue)m" : "" }
}
