package import Foundation
import Subprocess

/// A self-signed certificate for `localhost` and 127.0.0.1, made by openssl; it is its own authority.
package struct TestCertificate: Sendable {
    /// PEM.
    package let certificateFile: String
    /// PEM, readable by the owner only.
    package let keyFile: String

    /// Writes both files into `directory`; `names` in OpenSSL's subjectAltName syntax.
    package static func make(
        in directory: URL,
        names: String = "DNS:localhost,IP:127.0.0.1"
    ) async throws -> TestCertificate {
        let certificate = directory.appendingPathComponent("certificate.pem").path
        let key = directory.appendingPathComponent("key.pem").path
        let result = try await run(
            .name("openssl"),
            arguments: [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=penguin test", "-addext", "subjectAltName=\(names)", "-keyout", key, "-out", certificate,
            ],
            output: .discarded,
            error: .string(limit: 16 * 1024)
        )
        guard result.terminationStatus.isSuccess else {
            throw NotInTime(description: "openssl failed: \(result.standardError)")
        }
        return TestCertificate(certificateFile: certificate, keyFile: key)
    }
}
