import Foundation
import Logging
import Settings

/// Starts a Penguin in this process, as `penguin-web` does, and returns when it has ended.
///
/// `host` and `port` outweigh the environment and `config/penguin.yaml`, which are read for everything else; `debug` logs
/// more. Throws what keeps it from starting, in words for people. Seed: "Programmatic Startup".
public func startServer(host: String? = nil, port: Int? = nil, debug: Bool = false) async throws {
    var environment = ProcessInfo.processInfo.environment
    if let host { environment["HOST"] = host }
    if let port { environment["PORT"] = String(port) }
    if debug { environment["DEBUG"] = "true" }
    let settings = try Settings(environment: environment)
    let logger = LogSetup.bootstrap(settings.log, label: "penguin-web")
    try await WebProcess(settings, logger: logger) { _ in }.run()
}
