import ArgumentParser
import Foundation

/// Which Penguin is talked to, and how it shows its answers.
struct ServerOptions: ParsableArguments {
    @Option(help: "Where Penguin listens (PENGUIN_URL, default http://127.0.0.1:8000).")
    var url: String?

    /// Without a slash at its end.
    var address: String {
        let url = self.url ?? Self.environment["PENGUIN_URL"] ?? "http://127.0.0.1:8000"
        return url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    /// From the environment alone: a command line is seen by everybody on the machine.
    var key: String? { Self.environment["PENGUIN_API_KEY"] }

    var client: APIClient { APIClient(address: self.address, key: self.key) }

    private static var environment: [String: String] { ProcessInfo.processInfo.environment }
}

/// The options of a command that shows what the server says.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print the server's JSON, one value on each line.")
    var json = false
}
