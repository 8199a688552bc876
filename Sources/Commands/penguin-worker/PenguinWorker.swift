import ArgumentParser
import Domain
import Foundation
import PenguinServer
import Settings

/// Starts a worker.
@main
struct PenguinWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "penguin-worker",
        abstract: "Runs the jobs of a Penguin: start as many as you like.",
        discussion: """
            Needs REDIS_URL, and the database of the penguin-web it works for (PENGUIN_HOME or PENGUIN_DATABASE). \
            SIGTERM lets running jobs end within the grace time and gives the rest back; a second one at once.
            """,
        version: PenguinVersion.current
    )

    @Option(help: "Jobs to run at once (PENGUIN_WORKER_CONCURRENCY, default 64).")
    var concurrency: Int?

    @Option(help: "Configuration file (PENGUIN_CONFIG, default config/penguin.yaml if it exists).")
    var config: String?

    func run() async throws {
        var environment = ProcessInfo.processInfo.environment
        if let concurrency { environment["PENGUIN_WORKER_CONCURRENCY"] = String(concurrency) }
        let settings = try Settings(file: config.map { URL(filePath: $0) }, environment: environment)
        let logger = LogSetup.bootstrap(settings.log, label: "penguin-worker")
        try await WorkerProcess(settings, logger: logger).run()
    }
}
