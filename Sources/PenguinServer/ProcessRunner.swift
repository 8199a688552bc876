import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// Runs services until a signal: the first SIGTERM or SIGINT ends them one after the other, a second one at once.
struct ProcessRunner: Sendable {
    let logger: Logger

    /// Runs `services`, which are ended in reverse order, within `grace`.
    func run(_ services: [any Service], grace: Duration) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services.map { service in
                .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)
            },
            logger: Self.quiet(self.logger)
        )
        configuration.maximumGracefulShutdownDuration = grace
        let group = ServiceGroup(configuration: configuration)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                var isEnding = false
                for await signal in signals {
                    if isEnding {
                        self.logger.notice("Ending at once", metadata: ["signal": "\(signal)"])
                        Self.exitAfterAll()
                        return
                    }
                    self.logger.notice("Ending", metadata: ["signal": "\(signal)"])
                    isEnding = true
                    await group.triggerGracefulShutdown()
                }
            }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }

    /// Whatever does not obey the cancellation does not keep the process.
    private static func exitAfterAll() {
        DispatchQueue.global().asyncAfter(deadline: .now() + 3) { exit(1) }
    }

    /// The group's own lines are about its services, which say what matters themselves.
    private static func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        return quiet
    }
}
