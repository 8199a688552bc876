import Foundation

extension Settings {
    /// Why the server must not start like this, with what to do; nil when it may.
    ///
    /// A server that other machines can reach runs commands and spends money for whoever finds it, so without API
    /// keys only loopback addresses are allowed: 127.0.0.0/8, `::1`, `localhost`. A name that is not `localhost`
    /// counts as reachable, whatever it resolves to.
    package func exposureProblem() -> String? {
        guard self.server.apiKeys.isEmpty, !Self.isLoopback(self.server.host) else { return nil }
        return "\(self.server.host) can be reached from other machines and there are no API keys: set "
            + "PENGUIN_API_KEYS (for example to the output of `openssl rand -hex 32`), or bind HOST=127.0.0.1"
    }

    static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" { return true }
        var four = in_addr()
        if inet_pton(AF_INET, host, &four) == 1 { return withUnsafeBytes(of: four) { $0.first == 127 } }
        var six = in6_addr()
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        guard inet_pton(AF_INET6, bare, &six) == 1 else { return false }
        return withUnsafeBytes(of: six) { bytes in
            let mapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
            return mapped ? bytes[12] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
        }
    }
}
