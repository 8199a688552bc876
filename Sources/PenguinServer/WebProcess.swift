import API
import Events
package import Logging
import PenguinAPI
import ServiceLifecycle
package import Settings

/// `penguin-web`: the API, the dispatcher and the reaper, one worker unless told otherwise, and a Redis of its own unless
/// one is named.
package struct WebProcess: Sendable {
    /// Beyond the worker's grace, for everything else.
    private static let graceMargin = Duration.seconds(5)

    private let settings: Settings
    private let logger: Logger
    private let onListening: @Sendable (Int) async -> Void

    /// `onListening` gets the port once connections are accepted.
    package init(_ settings: Settings, logger: Logger, onListening: @escaping @Sendable (Int) async -> Void) {
        self.settings = settings
        self.logger = logger
        self.onListening = onListening
    }

    /// Runs until a signal or a failure.
    package func run() async throws {
        if let problem = self.settings.exposureProblem() { throw ServerError(problem) }
        if let url = self.settings.redis.url {
            return try await self.run(redisURL: url.text, redis: [])
        }
        let folder = try DataFolder(self.settings.storage.home)
        let redis = try await EmbeddedRedis.start(in: folder.url, logger: self.logger)
        defer {
            redis.stop()
            // Held to the end: the folder is ours as long as its Redis runs.
            withExtendedLifetime(folder) {}
        }
        try await self.run(redisURL: redis.url, redis: [redis])
    }

    private func run(redisURL: String, redis: [any Service]) async throws {
        let parts = try await Parts(self.settings, redisURL: redisURL, logger: self.logger)
        let relay = parts.relay()
        var services = redis + parts.backgroundServices
        services.append(UntilShutdown { await relay.run() })
        if self.settings.worker.count > 0 {
            let (worker, blocking) = parts.worker()
            services += parts.services(of: worker, blocking).map(Outlived.init)
        }
        let http = PenguinHTTP(
            penguin: parts.penguin(relay: relay),
            server: self.settings.server,
            logger: self.logger
        )
        services.append(http.application(onListening: self.onListening))
        let grace = self.settings.server.shutdownGrace + Self.graceMargin
        do {
            try await ProcessRunner(logger: self.logger).run(services, grace: grace)
        } catch {
            await parts.close()
            throw self.explained(error)
        }
        await parts.close()
    }

    private func explained(_ error: any Error) -> any Error {
        guard "\(error)".contains("Address already in use") else { return error }
        let server = self.settings.server
        return ServerError(
            "Port \(server.port) of \(server.host) is taken. Stop what listens there, or choose another: PORT=…"
        )
    }
}
