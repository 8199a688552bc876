package import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A real `redis-server` of a test's own: in a folder of its own, on a unix socket, gone with the test process.
package final class RedisServer: Sendable {
    /// Holds the socket, the data and `redis.log`.
    package let directory: URL
    /// The port of plain TCP, if asked for; the same after a restart.
    package let port: Int?
    /// The port of TLS, if a certificate was given; the same after a restart.
    package let tlsPort: Int?
    private let arguments: [String]
    private let child: Mutex<ChildProcess?>

    /// Starts a server and returns when it answers `PING` (at most 10 s).
    ///
    /// Without `appendOnly` a restart begins empty. `arguments` are added to the command line and win over ours
    /// (`["--requirepass", "secret"]`); `DEBUG` is allowed.
    package static func start(
        arguments: [String] = [],
        appendOnly: Bool = false,
        tcp: Bool = false,
        tls: TestCertificate? = nil
    ) async throws -> RedisServer {
        // A free port can be taken before the server has it; another is tried then.
        for _ in 0..<4 {
            let server = try RedisServer(arguments: arguments, appendOnly: appendOnly, tcp: tcp, tls: tls)
            do {
                try await server.launch()
                return server
            } catch {
                guard server.log.contains("Address already in use") else { throw error }
            }
        }
        throw NotInTime(description: "no free port for redis-server")
    }

    private init(arguments: [String], appendOnly: Bool, tcp: Bool, tls: TestCertificate?) throws {
        self.directory = try makeTemporaryDirectory()
        self.port = tcp ? try Self.freePort() : nil
        self.tlsPort = tls == nil ? nil : try Self.freePort()
        var all = ["--port", String(self.port ?? 0), "--bind", "127.0.0.1"]
        all += ["--unixsocket", Self.socketPath(in: self.directory), "--unixsocketperm", "700"]
        all += ["--dir", self.directory.path, "--save", "", "--appendonly", appendOnly ? "yes" : "no"]
        all += ["--enable-debug-command", "yes", "--daemonize", "no", "--databases", "16"]
        if let tls, let tlsPort = self.tlsPort {
            all += ["--tls-port", String(tlsPort), "--tls-auth-clients", "no"]
            all += ["--tls-cert-file", tls.certificateFile, "--tls-key-file", tls.keyFile]
            all += ["--tls-ca-cert-file", tls.certificateFile]
        }
        self.arguments = all + arguments
        self.child = Mutex(nil)
    }

    deinit {
        self.child.withLock { $0 }?.signal(SIGKILL)
        // A leftover in the temporary folder harms nobody, and there is nobody to tell.
        try? FileManager.default.removeItem(at: self.directory)
    }

    package var socketPath: String { Self.socketPath(in: self.directory) }
    /// Over the unix socket: `unix:///…/redis.sock`.
    package var url: String { "unix://" + self.socketPath }
    /// Over TCP; nil unless started with `tcp: true`.
    package var tcpURL: String? { self.port.map { "redis://127.0.0.1:\($0)" } }
    package var isRunning: Bool { self.child.withLock { $0 }?.pid != nil }
    package var pid: Int32? { self.child.withLock { $0 }?.pid }
    /// What the server has logged so far.
    package var log: String {
        // No file yet is an empty log.
        (try? String(contentsOf: self.logFile, encoding: .utf8)) ?? ""
    }

    /// Asks it to end (SIGTERM, then SIGKILL), and waits; data and folder stay for `restart`.
    package func stop() async throws {
        try await self.child.withLock { $0 }?.stop()
    }

    /// SIGKILL, as a crash would be; waits until it is gone.
    package func kill() async throws {
        try await self.child.withLock { $0 }?.kill()
    }

    /// Starts it again in the same folder, on the same addresses, after a kill if it still runs.
    package func restart() async throws {
        try await self.kill()
        try await self.launch()
    }

    /// SIGSTOP: connections stay open and nothing is answered.
    package func pause() {
        self.child.withLock { $0 }?.signal(SIGSTOP)
    }

    package func resume() {
        self.child.withLock { $0 }?.signal(SIGCONT)
    }
}

/// Gives `body` a server of its own and stops it afterwards.
package func withRedis<Result>(
    arguments: [String] = [],
    appendOnly: Bool = false,
    tcp: Bool = false,
    tls: TestCertificate? = nil,
    _ body: (RedisServer) async throws -> Result
) async throws -> Result {
    let server = try await RedisServer.start(arguments: arguments, appendOnly: appendOnly, tcp: tcp, tls: tls)
    do {
        let result = try await body(server)
        try await server.kill()
        return result
    } catch {
        // The body's error is the one to see.
        try? await server.kill()
        throw error
    }
}

extension RedisServer {
    private static func socketPath(in directory: URL) -> String {
        directory.appendingPathComponent("redis.sock").path
    }

    private var logFile: URL { self.directory.appendingPathComponent("redis.log") }

    private func launch() async throws {
        let child = try await ChildProcess.start("redis-server", self.arguments, log: self.logFile)
        self.child.withLock { $0 = child }
        do {
            try await eventually(within: .seconds(10), "redis-server answers PING") {
                guard child.pid != nil else { throw NotInTime(description: "redis-server has ended: \(self.log)") }
                return await self.answersPing()
            }
        } catch {
            try await child.kill()
            throw error
        }
    }

    /// Asks over the socket, independently of the client that the tests are about.
    private func answersPing() async -> Bool {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(1))
                .connect(unixDomainSocketPath: self.socketPath) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            let timeout = channel.channel.eventLoop.scheduleTask(in: .seconds(1)) {
                channel.channel.close(promise: nil)
            }
            defer { timeout.cancel() }
            return try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: "PING\r\n"))
                for try await reply in inbound {
                    let text = String(buffer: reply)
                    // A password is none of our business here: whoever refuses us is up.
                    return text.hasPrefix("+PONG") || text.hasPrefix("-NOAUTH")
                }
                return false
            }
        } catch {
            // Not listening yet.
            return false
        }
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard bind(descriptor, generic, length) == 0 else { return Int32(-1) }
                return getsockname(descriptor, generic, &length)
            }
        }
        guard status == 0 else { throw NotInTime(description: "no free port: errno \(errno)") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
