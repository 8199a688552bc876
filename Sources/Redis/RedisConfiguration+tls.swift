import NIOCore
import NIOSSL

extension RedisConfiguration {
    /// Nil without TLS; throws `.tls` when the CA file cannot be used.
    func makeTLSContext() throws(RedisError) -> NIOSSLContext? {
        guard let tls = self.tls else { return nil }
        var settings = TLSConfiguration.makeClientConfiguration()
        settings.minimumTLSVersion = .tlsv12
        // A server that hangs will not answer our goodbye either; the next connection waits for this one's end.
        settings.shutdownTimeout = .seconds(1)
        if let file = tls.authoritiesFile { settings.trustRoots = .file(file) }
        do {
            return try NIOSSLContext(configuration: settings)
        } catch {
            throw RedisError(.tls, "TLS cannot be set up with \(tls.authoritiesFile ?? "the system's roots"): \(error)")
        }
    }

    /// For SNI and verification; nil for an address, which is then verified as such.
    var serverName: String? {
        guard case .tcp(let host, _) = self.address else { return nil }
        return (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
    }
}
