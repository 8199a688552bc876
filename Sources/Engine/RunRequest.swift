package import Domain

/// What a run is to do: everything it needs to know, loaded before it begins.
package struct RunRequest: Sendable {
    /// Who the agent is.
    package var systemPrompt: String
    /// The conversation up to and including the message to answer, oldest first.
    package var history: [Message]
    package var model: ModelConfiguration
    package var streaming: Bool
    package var includeReasoning: Bool
    package var maxIterations: Int
    /// The run ends with what it has after this.
    package var timeLimit: Duration
    /// How often the job was put off before.
    package var failures: Int

    package init(
        systemPrompt: String,
        history: [Message],
        model: ModelConfiguration,
        streaming: Bool = true,
        includeReasoning: Bool = false,
        maxIterations: Int = 5,
        timeLimit: Duration = .seconds(600),
        failures: Int = 0
    ) {
        self.systemPrompt = systemPrompt
        self.history = history
        self.model = model
        self.streaming = streaming
        self.includeReasoning = includeReasoning
        self.maxIterations = maxIterations
        self.timeLimit = timeLimit
        self.failures = failures
    }
}
