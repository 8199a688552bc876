import ArgumentParser
import Dispatch
import Foundation
import TestSupport

/// The provider's stand-in as a process: for measurements and for trying things out by hand; not shipped.
@main
struct FakeProviderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fake-provider",
        abstract: "Answers chat completions the way the prompt tells it to, for example [[tokens=200 delay=10ms]]."
    )

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = 0

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Refuse requests without this key.")
    var key: String?

    func run() async throws {
        let provider = try await FakeProvider.start(port: self.port, host: self.host, requiredKey: self.key)
        print(provider.baseURL)
        // A pipe is buffered by the block, and whoever started us waits for the line.
        fflush(nil)
        await Self.terminationSignal()
        await provider.stop()
    }

    /// Waits for SIGTERM or SIGINT.
    private static func terminationSignal() async {
        let (signals, continuation) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingOldest(1))
        let sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
        for await _ in signals { break }
        for source in sources { source.cancel() }
    }
}
