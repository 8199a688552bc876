package import Hummingbird
package import Logging
import NIOCore

/// What a worker process answers for monitors and orchestrators: `/metrics` and `/livez`, on the loopback address unless
/// told otherwise, and nothing else.
package struct WorkerHTTP: Sendable {
    private let host: String
    private let port: Int
    private let metrics: @Sendable () async -> String
    private let isAlive: @Sendable () async -> Bool
    private let logger: Logger

    /// `isAlive` says whether the worker beats and reads.
    package init(
        host: String,
        port: Int,
        metrics: @escaping @Sendable () async -> String,
        isAlive: @escaping @Sendable () async -> Bool,
        logger: Logger
    ) {
        self.host = host
        self.port = port
        self.metrics = metrics
        self.isAlive = isAlive
        self.logger = logger
    }

    /// The listener as a service; `onListening` gets the port.
    package func application(
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        let router = Router()
        router.get("/metrics") { _, _ in Response.metrics(await self.metrics()) }
        router.get("/livez") { _, _ in
            let isAlive = await self.isAlive()
            return try Response.json(
                ["status": isAlive ? "alive" : "stuck"],
                status: isAlive ? .ok : .serviceUnavailable
            )
        }
        var quiet = self.logger
        quiet.logLevel = max(quiet.logLevel, .notice)
        return Application(
            router: router,
            configuration: .init(address: .hostname(self.host, port: self.port)),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
            logger: quiet
        )
    }
}

extension Response {
    /// The text format of Prometheus.
    static func metrics(_ text: String) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text))
        )
    }
}
