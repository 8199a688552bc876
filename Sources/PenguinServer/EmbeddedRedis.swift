import Events
import Foundation
import Logging
import ServiceLifecycle
import Synchronization

/// A private `redis-server` as a child: on a unix socket in the data folder, with an append-only file, ended with us.
///
/// A shell stands between: when this process dies in whatever way, the pipe to the shell closes and it ends the server. The
/// server holds a lock file, so that a new one never writes beside an old one that is still ending.
final class EmbeddedRedis: Service {
    private static let startMax = Duration.seconds(15)
    private static let stopMax = Duration.seconds(10)
    private static let socketPathBytesMax = 100
    /// `$0` is the lock file, the rest the command line of the server.
    ///
    /// 75: the lock was not free in time.
    private static let script = """
        exec 3<&0 9>"$0"
        flock -w 10 9 || exit 75
        redis-server "$@" </dev/null 3<&- &
        server=$!
        (read -r _ <&3; kill -TERM $server 2>/dev/null) 9>&- &
        watcher=$!
        wait $server
        code=$?
        kill $watcher 2>/dev/null
        exit $code
        """

    private enum State {
        case running
        case ended(Int32)
    }

    let url: String
    private let folder: URL
    private let logger: Logger
    private let lifeline: Pipe
    private let state = Mutex(State.running)
    private let ended = WakeUp()

    /// Starts the server and returns when its socket is there.
    static func start(in folder: URL, logger: Logger) async throws -> EmbeddedRedis {
        let redis = try EmbeddedRedis(in: folder, logger: logger)
        try await redis.launch()
        return redis
    }

    private init(in folder: URL, logger: Logger) throws {
        self.folder = folder
        self.logger = logger
        self.lifeline = Pipe()
        let socket = folder.appending(path: "redis.sock").path
        guard socket.utf8.count <= Self.socketPathBytesMax else {
            throw ServerError(
                "The data folder's path is too long for a unix socket (\(socket)). Choose a shorter PENGUIN_HOME."
            )
        }
        self.url = "unix://\(socket)"
    }

    /// Waits for the end: ours at a graceful shutdown, or the server's own, which is an error.
    func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await self.ended.wait()
        } onCancelOrGracefulShutdown: {
            self.stop()
        }
        guard case .ended(let code) = self.state.withLock({ $0 }), code != 0 else { return }
        throw ServerError("The embedded redis-server ended with status \(code). \(self.lastLog)")
    }

    /// Closes the pipe, upon which the shell ends the server.
    func stop() {
        // Closed already means that it was told already.
        try? self.lifeline.fileHandleForWriting.close()
    }

    private func launch() async throws {
        let socket = self.folder.appending(path: "redis.sock")
        try? FileManager.default.removeItem(at: socket)
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments =
            ["-c", Self.script, self.folder.appending(path: "redis.lock").path] + self.arguments(socket: socket.path)
        process.standardInput = self.lifeline
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.terminationHandler = { process in
            self.state.withLock { $0 = .ended(process.terminationStatus) }
            self.ended.call()
        }
        guard Self.isInstalled else {
            throw ServerError(
                """
                redis-server is not installed. Install it (Debian: apt install redis-server), \
                or name a running one: REDIS_URL=redis://host:6379
                """
            )
        }
        do {
            try process.run()
        } catch {
            throw ServerError("redis-server cannot be started: \(error.localizedDescription)")
        }
        try await self.waitForSocket(socket)
    }

    private func arguments(socket: String) -> [String] {
        [
            "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--dir", self.folder.path,
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction",
            "--client-output-buffer-limit", "pubsub 64mb 16mb 60", "--daemonize", "no",
            "--logfile", self.folder.appending(path: "redis.log").path,
        ]
    }

    private func waitForSocket(_ socket: URL) async throws {
        let deadline = ContinuousClock.now + Self.startMax
        while !FileManager.default.fileExists(atPath: socket.path) {
            if case .ended(let code) = self.state.withLock({ $0 }) {
                let reason = code == 75 ? "An older one still runs on the same data." : self.lastLog
                throw ServerError("redis-server ended with status \(code) while starting. \(reason)")
            }
            guard ContinuousClock.now < deadline else {
                self.stop()
                throw ServerError("redis-server did not start within \(Self.startMax). \(self.lastLog)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private static var isInstalled: Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/redis-server")
        }
    }

    private var lastLog: String {
        let file = self.folder.appending(path: "redis.log")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return "It has left no log." }
        return "Its log (\(file.path)) ends: " + text.split(separator: "\n").suffix(3).joined(separator: " / ")
    }
}
