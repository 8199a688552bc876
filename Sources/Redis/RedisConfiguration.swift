/// Where the server is, who we are there, and every bound and deadline of a connection.
package struct RedisConfiguration: Sendable, Equatable {
    package enum Address: Sendable, Equatable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    /// Server certificates are verified, host name included.
    package struct TLS: Sendable, Equatable {
        /// A PEM file with the certificate authorities to trust instead of the system's.
        package var authoritiesFile: String?

        package init(authoritiesFile: String? = nil) {
            self.authoritiesFile = authoritiesFile
        }
    }

    package var address: Address
    /// Nil means plain text.
    package var tls: TLS?
    /// The ACL user; nil with a password means Redis' `default` user.
    package var username: String?
    package var password: String?
    package var database: Int

    /// For reaching the server, and once more for TLS and the greeting.
    package var connectTimeout: Duration = .seconds(10)
    /// From the call to its reply, connecting included, when the call names no other.
    package var commandTimeout: Duration = .seconds(5)
    /// How far the oldest reply may be overdue, with nothing else arriving, before the connection counts as dead.
    package var hungAfter: Duration = .seconds(5)
    /// A subscriber asks for a sign of life after so much silence.
    package var idleBeforePing: Duration = .seconds(10)
    /// Commands accepted and not yet answered.
    package var queuedCommandsMax = 50_000
    /// Bytes of commands accepted and not yet handed to the socket.
    package var queuedBytesMax = 64 * 1024 * 1024
    /// One reply, as bytes on the wire.
    package var replyBytesMax = 128 * 1024 * 1024
    /// Local subscriptions of one subscriber.
    package var subscriptionsMax = 100_000

    package init(
        address: Address,
        tls: TLS? = nil,
        username: String? = nil,
        password: String? = nil,
        database: Int = 0
    ) {
        self.address = address
        self.tls = tls
        self.username = username
        self.password = password
        self.database = database
    }

    /// Reads `redis://[user[:password]@]host[:port][/db]`, `rediss://…[?cacert=/path]` or `unix:///path[?db=n]`.
    ///
    /// Port 6379 and database 0 by default. User, password, path and query values may be percent-encoded; a password
    /// with `@ : / ? #` must be. Throws `.badURL`, saying which part is wrong and what is allowed, without the password.
    package init(url: String) throws(RedisError) {
        self = try RedisURL(url).configuration
    }
}

extension RedisConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The URL with `***` for the password.
    package var description: String {
        let login =
            self.username.map { $0 + (self.password == nil ? "" : ":***") } ?? (self.password == nil ? "" : ":***")
        let user = login.isEmpty ? "" : login + "@"
        switch self.address {
        case .unix(let path): return "unix://\(user)\(path)?db=\(self.database)"
        case .tcp(let host, let port):
            let scheme = self.tls == nil ? "redis" : "rediss"
            return "\(scheme)://\(user)\(host.contains(":") ? "[\(host)]" : host):\(port)/\(self.database)"
        }
    }

    package var debugDescription: String { self.description }

    /// What `dump` and string interpolation of enclosing values see: no password.
    package var customMirror: Mirror { Mirror(self, children: ["url": self.description]) }
}
