import Crypto
import Domain
import Foundation
package import HTTPTypes
package import Settings

/// Decides who may come in, before anything else looks at a request: HTTP and WebSocket alike.
///
/// With API keys every request needs one, and the key says whose data it sees and whether it may administer. Without keys
/// Penguin answers to this machine alone, and lets it do everything: a request whose `Host` or `Origin` is not local is
/// refused, so that no web page can drive it.
package struct Gatekeeper: Sendable {
    /// The answer to one request.
    package enum Verdict: Sendable, Equatable {
        case allowed(Caller)
        case unauthorized(String)
        case forbidden(String)
    }

    private let callers: [(keyHash: SHA256Digest, caller: Caller)]
    private let origins: Set<String>

    /// A gatekeeper for the configured keys and origins.
    package init(keys: [APIKey], origins: [String]) {
        self.callers = keys.map { key in
            let hash = SHA256.hash(data: Data(key.key.utf8))
            let name = key.name ?? "key-" + hash.prefix(6).map { String($0, radix: 16) }.joined()
            return (hash, Caller(tenant: TenantID(rawValue: name), isAdmin: key.isAdmin))
        }
        self.origins = Set(origins)
    }

    /// Judges a request by its head.
    package func judge(_ request: HTTPRequest) -> Verdict {
        if !self.callers.isEmpty { return self.judge(key: Self.key(of: request)) }
        if let host = request.authority, !Self.isLocal(host: host) {
            return .forbidden(
                """
                The host '\(host.prefix(100))' is not this machine. To serve other hosts set PENGUIN_API_KEYS; \
                every request then needs a key.
                """
            )
        }
        if let origin = request.headerFields[.origin], !self.isAllowed(origin: origin) {
            return .forbidden(
                "The origin '\(origin.prefix(100))' is not local and not in PENGUIN_CORS_ORIGINS."
            )
        }
        return .allowed(Caller(tenant: .default, isAdmin: true))
    }

    /// Whether a page of that origin may read our answers.
    package func isAllowed(origin: String) -> Bool {
        if self.origins.contains(origin) || self.origins.contains("*") { return true }
        guard self.callers.isEmpty, let url = URL(string: origin), let host = url.host else { return false }
        return Self.isLocal(host: host)
    }

    /// Compares hashes, all of them: the time tells nothing about any key.
    private func judge(key: String?) -> Verdict {
        guard let key else {
            return .unauthorized("An API key is needed, in X-API-Key or as Authorization: Bearer.")
        }
        let hash = SHA256.hash(data: Data(key.utf8))
        var found: Caller?
        for (keyHash, caller) in self.callers where keyHash == hash { found = caller }
        return found.map(Verdict.allowed) ?? .unauthorized("The API key is not known.")
    }

    private static func key(of request: HTTPRequest) -> String? {
        if let name = HTTPField.Name("X-API-Key"), let key = request.headerFields[name] { return key }
        guard let header = request.headerFields[.authorization] else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }

    /// Whether it is nothing, or a colon and digits.
    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || text.first == ":" && text.dropFirst().utf8.allSatisfy { (48...57).contains($0) }
    }

    /// Whether a `Host`, with or without a port, names this machine.
    static func isLocal(host: String) -> Bool {
        var name = Substring(host.lowercased())
        if name.hasPrefix("[") {
            guard let end = name.firstIndex(of: "]") else { return false }
            return name[...end] == "[::1]" && Self.isPort(name[end...].dropFirst())
        }
        if let colon = name.firstIndex(of: ":"), name.lastIndex(of: ":") == colon {
            guard Self.isPort(name[colon...]) else { return false }
            name = name[..<colon]
        }
        if name == "localhost" || name.hasSuffix(".localhost") || name == "::1" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil } && parts[0] == "127"
    }
}
