package import Logging
import ServiceLifecycle
package import Settings

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
        let services = parts.backgroundServices + parts.workerServices
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
}
