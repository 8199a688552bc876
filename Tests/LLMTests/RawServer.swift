import Foundation
import Synchronization

/// A TCP server that does exactly what a test says, HTTP or not: one thread, one connection after the other.
final class RawServer: Sendable {
    /// One accepted connection.
    struct Connection: Sendable {
        let descriptor: Int32

        /// Reads until the request's head and the announced body are there; the head as text.
        @discardableResult
        func readRequest() -> String {
            var received: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                let text = String(decoding: received, as: UTF8.self)
                if let end = text.range(of: "\r\n\r\n") {
                    let head = text[..<end.lowerBound]
                    let length = head.lowercased().split(separator: "content-length: ").dropFirst().first
                    let expected = length.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
                    if text[end.upperBound...].utf8.count >= expected { return String(head) }
                }
                let count = recv(self.descriptor, &chunk, chunk.count, 0)
                guard count > 0 else { return String(decoding: received, as: UTF8.self) }
                received += chunk[..<count]
            }
        }

        /// Writes everything; false when the other side is gone.
        @discardableResult
        func write(_ text: String) -> Bool {
            self.write(Array(text.utf8))
        }

        @discardableResult
        func write(_ bytes: [UInt8]) -> Bool {
            var sent = 0
            while sent < bytes.count {
                let flags = Int32(MSG_NOSIGNAL)
                let count = bytes[sent...].withUnsafeBytes { send(self.descriptor, $0.baseAddress, $0.count, flags) }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }

        /// Makes the close a reset instead of an end.
        func reset() {
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(self.descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }

        /// Waits until the client has closed; false after `limit` seconds.
        func waitForClose(seconds limit: Int) -> Bool {
            var timeout = timeval(tv_sec: limit, tv_usec: 0)
            setsockopt(
                self.descriptor,
                SOL_SOCKET,
                SO_RCVTIMEO,
                &timeout,
                socklen_t(MemoryLayout.size(ofValue: timeout))
            )
            var byte: UInt8 = 0
            while true {
                let count = recv(self.descriptor, &byte, 1, 0)
                if count == 0 { return true }
                if count < 0 { return errno == ECONNRESET }
            }
        }
    }

    let port: UInt16
    private let listener: Int32
    private let accepted = Mutex(0)

    /// How many connections there were.
    var connections: Int { self.accepted.withLock { $0 } }

    /// Serves every connection by `serve`, and closes it when that returns.
    init(_ serve: @escaping @Sendable (Connection) -> Void) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
        self.listener = listener
        self.port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else {
                    close(listener)
                    return
                }
                self.accepted.withLock { $0 += 1 }
                serve(Connection(descriptor: descriptor))
                close(descriptor)
            }
        }
    }

    var url: String { "http://127.0.0.1:\(self.port)" }

    /// Stops accepting; the thread ends with it.
    ///
    /// The thread closes the socket: while it may still be in `accept`, the number must not go to another one.
    func stop() {
        shutdown(self.listener, Int32(SHUT_RDWR))
    }
}

/// Runs `body` with a raw server that is stopped afterwards.
func withRawServer<R>(
    isolation: isolated (any Actor)? = #isolation,
    _ serve: @escaping @Sendable (RawServer.Connection) -> Void,
    _ body: (RawServer) async throws -> R
) async throws -> R {
    let server = try RawServer(serve)
    defer { server.stop() }
    return try await body(server)
}
