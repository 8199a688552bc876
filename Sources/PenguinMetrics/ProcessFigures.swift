import Foundation
import Glibc

/// What Linux says of this process: Prometheus' standard process metrics, and its threads.
///
/// Meant for `registry.onScrape(named: "process") { try figures.samples() }`. Sources: Prometheus, "Writing client
/// libraries", process metrics; proc(5).
package struct ProcessFigures: Sendable {
    private static let folder = "/proc/self"

    /// Seconds since 1970; read once, as it never changes and `/proc/stat` is long on large machines.
    private let startSeconds: Double

    package init() throws(MetricsError) {
        let bootSeconds = try Self.number("btime", in: Self.lines(of: "/proc/stat"), of: "/proc/stat")
        self.startSeconds = try bootSeconds + Self.ticks(.start) / Self.ticksPerSecond
    }

    /// Some small files are read, which takes well below a millisecond unless thousands of files are open.
    package func samples() throws(MetricsError) -> [MetricSample] {
        let path = Self.folder + "/status"
        let status = try Self.lines(of: path)
        let cpuSeconds = try (Self.ticks(.user) + Self.ticks(.system)) / Self.ticksPerSecond
        return [
            MetricSample(
                "process_cpu_seconds_total",
                .counter,
                help: "Total user and system CPU time spent in seconds.",
                value: cpuSeconds
            ),
            MetricSample(
                "process_resident_memory_bytes",
                help: "Resident memory size in bytes.",
                value: try Self.number("VmRSS:", in: status, of: path) * 1024
            ),
            MetricSample(
                "process_virtual_memory_bytes",
                help: "Virtual memory size in bytes.",
                value: try Self.number("VmSize:", in: status, of: path) * 1024
            ),
            MetricSample(
                "process_threads",
                help: "Number of OS threads in the process.",
                value: try Self.number("Threads:", in: status, of: path)
            ),
            MetricSample("process_open_fds", help: "Number of open file descriptors.", value: try Self.openFiles()),
            MetricSample(
                "process_max_fds",
                help: "Maximum number of open file descriptors.",
                value: try Self.openFilesMax()
            ),
            MetricSample(
                "process_start_time_seconds",
                help: "Start time of the process since unix epoch in seconds.",
                value: self.startSeconds
            ),
        ]
    }

    // MARK: The files

    /// The place of a time in `stat`, among the fields after the command's name.
    private enum Time: Int {
        case user = 11
        case system = 12
        case start = 19
    }

    private static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

    private static func ticks(_ time: Time) throws(MetricsError) -> Double {
        let path = self.folder + "/stat"
        let text = try self.text(of: path)
        // The command's name may hold anything, spaces and parentheses too.
        let fields = text.lastIndex(of: ")").map { text[text.index(after: $0)...].split(separator: " ") } ?? []
        guard fields.count > time.rawValue, let ticks = Double(fields[time.rawValue]) else {
            throw MetricsError(.unreadable, "\(path) lacks its field \(time.rawValue + 3)")
        }
        return ticks
    }

    private static func openFiles() throws(MetricsError) -> Double {
        let path = self.folder + "/fd"
        do {
            // One of them is the folder itself, which is open only for this.
            return Double(try FileManager.default.contentsOfDirectory(atPath: path).count - 1)
        } catch {
            throw MetricsError(.unreadable, "cannot list \(path)", underlying: error)
        }
    }

    /// The soft limit.
    private static func openFilesMax() throws(MetricsError) -> Double {
        let path = self.folder + "/limits"
        let prefix = "Max open files"
        let line = try self.lines(of: path).first { $0.hasPrefix(prefix) }
        let soft = line?.dropFirst(prefix.count).split(separator: " ").first
        if soft == "unlimited" { return .infinity }
        guard let value = soft.flatMap({ Double($0) }) else {
            throw MetricsError(.unreadable, "\(path) lacks the limit of open files")
        }
        return value
    }

    /// The number after the line's first word.
    private static func number(
        _ word: String,
        in lines: [Substring],
        of path: String
    ) throws(MetricsError) -> Double {
        let line = lines.first { $0.hasPrefix(word) }
        let fields = line?.split(whereSeparator: \.isWhitespace) ?? []
        guard fields.count > 1, let value = Double(fields[1]) else {
            throw MetricsError(.unreadable, "\(path) lacks \(word)")
        }
        return value
    }

    private static func lines(of path: String) throws(MetricsError) -> [Substring] {
        try self.text(of: path).split(separator: "\n")
    }

    private static func text(of path: String) throws(MetricsError) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw MetricsError(.unreadable, "cannot read \(path)", underlying: error)
        }
    }
}
