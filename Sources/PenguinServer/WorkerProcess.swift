import API
package import Logging
import PenguinMetrics
import ServiceLifecycle
package import Settings
import Worker

/// `penguin-worker`: a worker, a dispatcher and a reaper, on a Redis and a database that others share.
package struct WorkerProcess: Sendable {
    private static let graceMargin = Duration.seconds(5)

    private let settings: Settings
    private let logger: Logger

    package init(_ settings: Settings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    /// Runs until a signal or a failure.
    package func run() async throws {
        guard let url = self.settings.redis.url else {
            throw ServerError(
                """
                A worker needs the Redis that penguin-web uses: REDIS_URL=redis://host:6379. \
                (penguin-web without REDIS_URL has a private one, and its own worker.)
                """
            )
        }
        let parts = try await Parts(self.settings, redisURL: url.text, logger: self.logger)
        parts.instruments.watch(parts, relay: nil)
        let (worker, blocking) = parts.worker()
        var services = parts.backgroundServices + parts.services(of: worker, blocking)
        if let port = self.settings.worker.metricsPort {
            services.append(self.listener(on: port, for: worker, parts))
        }
        do {
            try await ProcessRunner(logger: self.logger).run(
                services,
                grace: self.settings.server.shutdownGrace + Self.graceMargin
            )
        } catch {
            await parts.close()
            throw error
        }
        await parts.close()
    }

    private func listener(on port: Int, for worker: JobWorker, _ parts: Parts) -> any Service {
        let registry = parts.instruments.registry
        let http = WorkerHTTP(
            host: self.settings.worker.metricsHost,
            port: port,
            metrics: { await registry.exposition() },
            isAlive: { worker.isAlive },
            logger: self.logger
        )
        return http.application { [logger] port in
            logger.notice("Metrics are served", metadata: ["port": "\(port)"])
        }
    }
}
