/// The parts of a Redis URL, taken apart with errors that a person can act on.
///
/// Not Foundation's `URL`: that one accepts nearly anything and says nothing about what is wrong.
struct RedisURL {
    private(set) var configuration: RedisConfiguration

    private static let forms =
        "allowed are redis://[user[:password]@]host[:port][/db], rediss://… and unix:///path/to.sock[?db=n]"

    init(_ url: String) throws(RedisError) {
        guard let mark = url.firstRange(of: "://") else { throw Self.bad("no scheme; \(Self.forms)") }
        guard !url.contains("#") else { throw Self.bad("a '#'; in a user or password write it as %23") }
        let scheme = url[..<mark.lowerBound].lowercased()
        let (locator, query) = url[mark.upperBound...].split(at: "?")
        switch scheme {
        case "redis", "rediss":
            let tls = scheme == "rediss" ? RedisConfiguration.TLS() : nil
            self.configuration = try Self.network(locator, tls: tls)
        case "unix":
            self.configuration = try Self.socket(locator)
        default:
            throw Self.bad("the scheme '\(scheme)'; \(Self.forms)")
        }
        try self.apply(query: query ?? "", scheme: scheme)
    }

    private static func network(
        _ locator: Substring,
        tls: RedisConfiguration.TLS?
    ) throws(RedisError) -> RedisConfiguration {
        let (authority, path) = locator.split(at: "/")
        let (login, place) = authority.splitAtLast("@")
        let (host, port) = try self.hostAndPort(place)
        var configuration = RedisConfiguration(address: .tcp(host: host, port: port), tls: tls)
        if let path, !path.isEmpty { configuration.database = try self.database(path) }
        try self.apply(login: login, to: &configuration)
        return configuration
    }

    private static func socket(_ locator: Substring) throws(RedisError) -> RedisConfiguration {
        let (authority, path) = locator.split(at: "/")
        let (login, host) = authority.splitAtLast("@")
        guard host.isEmpty else { throw self.bad("a host before the socket's path; write unix:///path/to.sock") }
        guard let path, !path.isEmpty else { throw self.bad("no path; write unix:///path/to.sock") }
        let decoded = try self.decoded(path, part: "path")
        // sockaddr_un holds 108 bytes with the terminating zero.
        guard decoded.utf8.count < 107 else { throw self.bad("a socket path longer than 107 bytes") }
        var configuration = RedisConfiguration(address: .unix(path: "/" + decoded))
        try self.apply(login: login, to: &configuration)
        return configuration
    }

    private static func hostAndPort(_ place: Substring) throws(RedisError) -> (String, Int) {
        var host = place
        var port: Substring?
        if place.first == "[" {
            guard let end = place.firstIndex(of: "]") else { throw self.bad("an IPv6 address without its ']'") }
            host = place[place.index(after: place.startIndex)..<end]
            let tail = place[place.index(after: end)...]
            guard tail.isEmpty || tail.first == ":" else { throw self.bad("text after the IPv6 address") }
            port = tail.isEmpty ? nil : tail.dropFirst()
        } else {
            (host, port) = place.split(at: ":")
        }
        guard !host.isEmpty else { throw self.bad("no host; \(self.forms)") }
        guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "@") }) else {
            throw self.bad(
                "a host with characters that no host has; a password with '@', ':' or '/' must be percent-encoded"
            )
        }
        guard let port else { return (String(host), 6379) }
        guard let number = Int(port), (1...65535).contains(number) else {
            // The text is not repeated: with an unencoded '@' or '/' in it, it would be the password.
            throw self.bad("a port that is not a number from 1 to 65535")
        }
        return (String(host), number)
    }

    private static func apply(login: Substring?, to configuration: inout RedisConfiguration) throws(RedisError) {
        guard let login else { return }
        let (user, password) = login.split(at: ":")
        if !user.isEmpty { configuration.username = try self.decoded(user, part: "user") }
        if let password, !password.isEmpty { configuration.password = try self.decoded(password, part: "password") }
    }

    private mutating func apply(query: Substring, scheme: String) throws(RedisError) {
        for pair in query.split(separator: "&") {
            let (key, value) = pair.split(at: "=")
            switch (key, scheme) {
            case ("db", "unix"):
                self.configuration.database = try Self.database(value ?? "")
            case ("cacert", "rediss"):
                let path = try Self.decoded(value ?? "", part: "cacert")
                guard path.hasPrefix("/") else { throw Self.bad("a cacert that is not an absolute path") }
                self.configuration.tls?.authoritiesFile = path
            default:
                // Not repeated: with an unencoded '?' in the password, this would be a part of it.
                throw Self.bad("an unknown option after '?'; allowed are db with unix:// and cacert with rediss://")
            }
        }
    }

    private static func database(_ text: Substring) throws(RedisError) -> Int {
        guard let number = Int(text), number >= 0 else {
            throw self.bad("a database that is not a number from 0")
        }
        return number
    }

    /// Undoes percent-encoding; what comes out must be UTF-8.
    private static func decoded(_ text: Substring, part: String) throws(RedisError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(self.hexDigit), let low = rest.popFirst().flatMap(self.hexDigit)
            else { throw self.bad("a '%' in the \(part) that is not followed by two hex digits; write it as %25") }
            bytes.append(high << 4 | low)
        }
        guard let string = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw self.bad("a \(part) that is not UTF-8 text")
        }
        return string
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func bad(_ what: String) -> RedisError {
        RedisError(.badURL, "the Redis URL has \(what)")
    }
}

extension Substring {
    /// What is before the first `mark`, and what is after it if there is one.
    fileprivate func split(at mark: Character) -> (Substring, Substring?) {
        guard let index = self.firstIndex(of: mark) else { return (self, nil) }
        return (self[..<index], self[self.index(after: index)...])
    }

    /// What is before the last `mark` if there is one, and what is after it.
    fileprivate func splitAtLast(_ mark: Character) -> (Substring?, Substring) {
        guard let index = self.lastIndex(of: mark) else { return (nil, self) }
        return (self[..<index], self[self.index(after: index)...])
    }
}
