import ArgumentParser
import Domain
import Foundation
import PenguinServer
import Settings

/// Starts the server.
@main
struct PenguinWeb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "penguin-web",
        abstract: "Penguin's server: HTTP and WebSocket, and a worker of its own.",
        discussion: """
            Without REDIS_URL it starts a private redis-server in the data folder (PENGUIN_HOME, default ~/.penguin). \
            With REDIS_URL and --workers 0 the jobs are run by any number of penguin-worker processes. \
            All settings: docs/configuration.md.
            """,
        version: PenguinVersion.current
    )

    @Option(help: "Address to listen on (HOST, default 127.0.0.1).")
    var host: String?

    @Option(help: "Port to listen on (PORT, default 8000; 0 takes a free one).")
    var port: Int?

    @Option(help: "Workers in this process, 0 or 1 (PENGUIN_WORKERS, default 1).")
    var workers: Int?

    @Option(help: "Configuration file (PENGUIN_CONFIG, default config/penguin.yaml if it exists).")
    var config: String?

    func run() async throws {
        var environment = ProcessInfo.processInfo.environment
        if let host { environment["HOST"] = host }
        if let port { environment["PORT"] = String(port) }
        if let workers { environment["PENGUIN_WORKERS"] = String(workers) }
        let settings = try Settings(file: config.map { URL(filePath: $0) }, environment: environment)
        let logger = LogSetup.bootstrap(settings.log, label: "penguin-web")
        try await WebProcess(settings, logger: logger) { port in
            Greeting(host: settings.server.host, port: port, needsKey: !settings.server.apiKeys.isEmpty).show()
        }.run()
    }
}
