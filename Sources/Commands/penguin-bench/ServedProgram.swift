import Foundation
import NIOCore
import NIOPosix
import TestSupport

/// A child process that serves HTTP on a port of 127.0.0.1.
struct ServedProgram: Sendable {
    let name: String
    let port: Int
    let pid: Int32
    /// From the start of the process to its first 200.
    let startUpSeconds: Double
    private let child: ChildProcess
    private let log: URL

    /// How to start one.
    struct Plan: Sendable {
        /// The program's name, which lies beside this one.
        var name: String
        /// Given the port.
        var arguments: @Sendable (Int) -> [String]
        /// The whole environment, given the port.
        var environment: @Sendable (Int) -> [String: String] = { _ in [:] }
        /// Answers 200 when the program can be used.
        var readyPath: String
        /// Its working folder, and where its log goes.
        var directory: URL
    }

    private static let startUpMax = Duration.seconds(20)

    /// Starts it on a free port and returns when it is ready, at most 20 s.
    static func start(_ plan: Plan, on group: MultiThreadedEventLoopGroup) async throws -> ServedProgram {
        try FileManager.default.createDirectory(at: plan.directory, withIntermediateDirectories: true)
        let port = try await self.freePort(on: group)
        let log = plan.directory.appendingPathComponent("\(plan.name).log")
        let began = Moment.now
        let child = try await ChildProcess.start("env", self.command(plan, port: port), log: log)
        do {
            let probe = HTTPLoad(group: group, port: port, connections: 1, limit: .seconds(5))
            try await eventually(within: self.startUpMax, "\(plan.name) answers \(plan.readyPath)") {
                guard child.pid != nil else { throw BenchFailure("\(plan.name) has ended") }
                // Nobody listens yet, or not for long.
                return (try? await probe.ask(HTTPRequestText.get(plan.readyPath)).status) == 200
            }
            let ready = Moment.now
            guard let pid = child.pid else { throw BenchFailure("\(plan.name) has ended") }
            return ServedProgram(
                name: plan.name,
                port: port,
                pid: pid,
                startUpSeconds: ready.seconds(since: began),
                child: child,
                log: log
            )
        } catch {
            try await child.kill()
            throw BenchFailure("\(error) \(Self.tail(of: log))")
        }
    }

    var isRunning: Bool { self.child.pid != nil }
    /// The last lines of what it printed.
    var logTail: String { Self.tail(of: self.log) }

    /// SIGTERM, and SIGKILL when that is not enough.
    func stop() async {
        // A child that cannot be killed dies with this process at the latest.
        try? await self.child.stop(grace: .seconds(10))
    }

    /// `env` puts the program in its folder with its environment, and becomes it: the pid is the program's.
    private static func command(_ plan: Plan, port: Int) throws -> [String] {
        let folder = try Self.programs()
        var variables = plan.environment(port)
        for name in ["PATH", "HOME", "TMPDIR", "LANG"] {
            variables[name] = variables[name] ?? ProcessInfo.processInfo.environment[name]
        }
        let assignments = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let executable = folder.appendingPathComponent(plan.name).path
        return ["--ignore-environment", "--chdir=\(plan.directory.path)"] + assignments
            + [executable] + plan.arguments(port)
    }

    /// Where this program lies, and all others of the build.
    private static func programs() throws -> URL {
        URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            .deletingLastPathComponent()
    }

    private static func freePort(on group: MultiThreadedEventLoopGroup) async throws -> Int {
        let channel = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port
        try await channel.close()
        guard let port else { throw BenchFailure("no free port") }
        return port
    }

    private static func tail(of log: URL) -> String {
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(10).joined(separator: "\n")
    }
}
