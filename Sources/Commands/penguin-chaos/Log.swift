import Foundation

/// Tells on the standard error what happens, with the time since the start.
enum Log {
    private static let begin = ContinuousClock.now

    static func say(_ text: String) {
        let seconds =
            Double(Self.begin.duration(to: .now).components.seconds)
            + Double(Self.begin.duration(to: .now).components.attoseconds) / 1e18
        let line = String(format: "%7.2f  ", seconds) + text + "\n"
        // Nobody to tell when that cannot be written.
        try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
    }
}
