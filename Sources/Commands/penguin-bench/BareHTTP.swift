import ArgumentParser
import Hummingbird

/// A server with one route that does nothing: what the HTTP library alone can do on this machine.
struct BareHTTP: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bare-http",
        abstract: "Serves a route that does nothing, for comparison.",
        shouldDisplay: false
    )

    @Option(help: "Port to listen on.")
    var port: Int

    func run() async throws {
        let router = Router()
        router.get("/livez") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: #"{"status":"alive"}"#))
            )
        }
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: self.port))
        )
        try await application.runService()
    }
}
