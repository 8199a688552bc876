import Domain
import Foundation
package import Logging
package import Settings

/// Sets up the log lines of a process: on stderr, as text for people or JSON for programs.
package enum LogSetup {
    /// The process's logger; call once.
    package static func bootstrap(_ settings: Settings.Log, label: String) -> Logger {
        let level = Logger.Level(rawValue: settings.level.rawValue) ?? .info
        let format = settings.format
        LoggingSystem.bootstrap { label in
            switch format {
            case .text: LineLogHandler(logLevel: level) { TextLine.make($0) }
            case .json: LineLogHandler(logLevel: level) { JSONLine.make($0, label: label) }
            }
        }
        return Logger(label: label)
    }
}

/// One line to be written.
struct LogLine {
    let time: Timestamp
    let level: Logger.Level
    let message: String
    let metadata: Logger.Metadata
}

/// Writes each message as one line to stderr, in one call, so that lines of many threads do not mix.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    private let format: @Sendable (LogLine) -> String

    init(logLevel: Logger.Level, format: @escaping @Sendable (LogLine) -> String) {
        self.logLevel = logLevel
        self.format = format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = self.metadata.merging(event.metadata ?? [:]) { _, new in new }
        let line = LogLine(time: .now, level: event.level, message: "\(event.message)", metadata: all)
        FileHandle.standardError.write(Data((self.format(line) + "\n").utf8))
    }
}

/// Makes `2026-11-23T20:15:00.123Z info message key=value`.
enum TextLine {
    static func make(_ line: LogLine) -> String {
        let pairs = line.metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.quoted("\($0.value)"))" }
        return "\(line.time) \(line.level) \(line.message)\(pairs.joined())"
    }

    /// A value of several words, or lines, stays one word.
    private static func quoted(_ value: String) -> String {
        guard value.contains(where: { $0.isWhitespace || $0 == "\"" }) else { return value }
        return "\"" + value.replacing("\n", with: "\\n").replacing("\"", with: "\\\"") + "\""
    }
}

/// Makes `{"level":…,"message":…,"time":…, metadata…}`.
enum JSONLine {
    static func make(_ line: LogLine, label: String) -> String {
        var fields = line.metadata.mapValues { "\($0)" }
        fields["time"] = line.time.description
        fields["level"] = line.level.rawValue
        fields["message"] = line.message
        fields["label"] = label
        // Strings only: there is nothing in them that could fail to encode.
        return (try? JSON.text(fields)) ?? line.message
    }
}
