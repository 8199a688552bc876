/// Where a client connects to, and what it asks for.
struct WebSocketURL: Equatable {
    enum Target: Equatable {
        case host(String, port: Int)
        case unixSocket(path: String)
    }

    let target: Target
    let isSecure: Bool
    /// The value of the `Host` header.
    let authority: String
    /// Path and query, at least `/`.
    let path: String

    /// Reads `ws://`, `wss://`, `http://`, `https://host[:port][/path][?query]`, or `ws+unix:///socket[:/path]`.
    init(_ text: String) throws(WebSocketError) {
        guard let separator = text.firstRange(of: "://") else { throw Self.invalid(text, "has no scheme") }
        let scheme = text[..<separator.lowerBound].lowercased()
        let rest = text[separator.upperBound...].prefix { $0 != "#" }
        switch scheme {
        case "ws", "http": try self.init(network: rest, of: text, isSecure: false)
        case "wss", "https": try self.init(network: rest, of: text, isSecure: true)
        case "ws+unix", "http+unix": try self.init(unix: rest, of: text)
        default: throw Self.invalid(text, "has an unknown scheme")
        }
    }

    private init(network rest: Substring, of text: String, isSecure: Bool) throws(WebSocketError) {
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest[authority.endIndex...]
        guard !authority.contains("@") else { throw Self.invalid(text, "has a user name") }
        let isBracketed = authority.hasPrefix("[")
        let hostEnd = isBracketed ? authority.firstIndex(of: "]").map(authority.index(after:)) : nil
        let host = authority[..<(hostEnd ?? authority.firstIndex(of: ":") ?? authority.endIndex)]
        let portText = authority[host.endIndex...]
        let port = portText.isEmpty ? (isSecure ? 443 : 80) : Int(portText.dropFirst())
        guard !host.isEmpty, portText.isEmpty || portText.first == ":", let port, (1...65_535).contains(port) else {
            throw Self.invalid(text, "has no host or an impossible port")
        }
        let name = isBracketed ? String(host.dropFirst().dropLast()) : String(host)
        self.target = .host(name, port: port)
        self.isSecure = isSecure
        self.authority = String(authority)
        self.path = path.hasPrefix("/") ? String(path) : "/" + path
    }

    private init(unix rest: Substring, of text: String) throws(WebSocketError) {
        let socket = rest.prefix { $0 != ":" }
        let path = rest[socket.endIndex...].dropFirst()
        guard socket.hasPrefix("/") else { throw Self.invalid(text, "has no absolute socket path") }
        self.target = .unixSocket(path: String(socket))
        self.isSecure = false
        self.authority = "localhost"
        self.path = path.hasPrefix("/") ? String(path) : "/" + path
    }

    private static func invalid(_ text: String, _ reason: String) -> WebSocketError {
        WebSocketError(.invalidURL, "\(text) \(reason)")
    }
}
