import Foundation

/// What is going on, for whoever waits: lines on standard error.
enum Progress {
    static func say(_ line: String) {
        // Nothing can be done when nobody listens.
        try? FileHandle.standardError.write(contentsOf: Data("penguin-bench: \(line)\n".utf8))
    }
}
