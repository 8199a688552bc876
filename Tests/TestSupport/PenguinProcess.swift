package import Foundation

/// A built program of this package, `penguin-web`, `penguin-worker` or `penguin`, as a real child process that dies with this one.
///
/// It sees no environment but what it is given and `PATH`, and runs in its data folder, so that no configuration of the
/// machine reaches it. What it prints is kept.
package final class PenguinProcess: Sendable {
    package enum Program: String, Sendable {
        case web = "penguin-web"
        case worker = "penguin-worker"
        case client = "penguin"
    }

    package let program: Program
    private let child: ChildProcess
    private let greeting: URL
    private let log: URL

    /// Starts a program in `folder`; it may not be ready yet, and may never be.
    ///
    /// It is taken from the folder `programs`, else from where this program or the test bundle lies.
    package static func launch(
        _ program: Program,
        in folder: URL,
        environment: [String: String],
        arguments: [String] = [],
        programs: URL? = nil
    ) async throws -> PenguinProcess {
        let executable = try programs?.appendingPathComponent(program.rawValue).path ?? Self.executable(of: program)
        var variables = environment
        for name in ["PATH", "TMPDIR", "LANG"] {
            variables[name] = variables[name] ?? ProcessInfo.processInfo.environment[name]
        }
        let assignments = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let name = "\(program.rawValue)-\(UUID().uuidString.prefix(8))"
        let greeting = folder.appendingPathComponent("\(name).out")
        let log = folder.appendingPathComponent("\(name).err")
        // `env`, then the shell become the program: the pid is the program's.
        let shell = ["/bin/sh", "-c", #"exec "$@" >>"$0""#, greeting.path, executable]
        let child = try await ChildProcess.start(
            "env",
            ["--ignore-environment", "--chdir=\(folder.path)"] + assignments + shell + arguments,
            log: log
        )
        return PenguinProcess(program, child, greeting: greeting, log: log)
    }

    private init(_ program: Program, _ child: ChildProcess, greeting: URL, log: URL) {
        self.program = program
        self.child = child
        self.greeting = greeting
        self.log = log
    }

    /// Nil once it has ended.
    package var pid: Int32? { self.child.pid }

    /// What it has written to stdout so far.
    package var output: String { Self.text(of: self.greeting) }

    /// What it has written to stderr so far.
    package var errors: String { Self.text(of: self.log) }

    /// The last lines of that, to explain a failure.
    package var lastErrors: String {
        self.errors.split(separator: "\n").suffix(30).joined(separator: "\n")
    }

    /// The exit code; 128 and the signal's number for one that was killed; nil while it runs.
    package var exitCode: Int32? {
        self.child.exitStatus.map { status in
            let signal = status & 0x7f
            return signal == 0 ? (status >> 8) & 0xff : 128 + signal
        }
    }

    /// The port in the greeting of `penguin-web`; nil before it listens.
    package var port: Int? {
        guard let address = Self.text(of: self.greeting).firstMatch(of: /listens on http:\/\/[^\s]*:(\d+)\s/) else {
            return nil
        }
        return Int(address.1)
    }

    /// SIGKILL, as a crash would be; returns when it is gone.
    package func kill() async throws { try await self.child.kill() }

    /// SIGTERM.
    package func terminate() { self.child.signal(SIGTERM) }

    /// SIGSTOP: it stands still, its connections stay open.
    package func pause() { self.child.signal(SIGSTOP) }

    package func resume() { self.child.signal(SIGCONT) }

    /// The exit code once it has ended.
    package func waitForExit(within limit: Duration = .seconds(20)) async throws -> Int32 {
        try await eventually(within: limit, "\(self.program.rawValue) has ended") { self.exitCode != nil }
        return self.exitCode ?? -1
    }

    /// Bytes of memory that it has in use: `VmRSS`.
    package func residentBytes() throws -> Int {
        guard let pid = self.pid else { throw NotInTime(description: "\(self.program.rawValue) has ended") }
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let kilobytes = status.firstMatch(of: /VmRSS:\s+(\d+) kB/).flatMap { Int($0.1) } ?? 0
        return kilobytes * 1024
    }

    private static func text(of file: URL) -> String {
        // No file yet is nothing written.
        (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    }

    /// The programs lie beside the test bundle.
    private static func executable(of program: Program) throws -> String {
        let loaded = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let candidates = [loaded] + CommandLine.arguments.filter { $0.hasSuffix(".xctest") }
        for candidate in candidates {
            let folder = URL(fileURLWithPath: candidate).deletingLastPathComponent()
            let path = folder.appendingPathComponent(program.rawValue).path
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw NotInTime(description: "\(program.rawValue) is not built: it lies beside none of \(candidates)")
    }
}
