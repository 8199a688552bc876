import ArgumentParser

/// Measures Penguin from outside: real processes, real sockets, and beside each figure what the machine allows.
///
/// A set of measurements is a subcommand, a measurement is a `Scenario`; `ChatBench` shows how they are put together.
@main
struct PenguinBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "penguin-bench",
        abstract: "Starts Penguin with a fake provider, puts load on it, and tells how fast it was.",
        subcommands: [ChatBench.self, QueueBench.self, BareHTTP.self],
        defaultSubcommand: ChatBench.self
    )
}
