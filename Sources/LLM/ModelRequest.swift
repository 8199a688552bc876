package import Domain

/// A tool the model may call.
package struct ModelTool: Sendable, Equatable {
    /// The name the model calls it by.
    package var name: String
    /// What it does, for the model.
    package var description: String
    /// The JSON Schema of its arguments, an object as JSON text; sent as it is.
    package var parametersSchema: String

    /// A tool with its parts.
    package init(name: String, description: String, parametersSchema: String) {
        self.name = name
        self.description = description
        self.parametersSchema = parametersSchema
    }
}

/// One turn to ask of a model.
package struct ModelRequest: Sendable {
    /// Which model, where and how.
    package var model: ModelConfiguration
    /// The prompt.
    package var messages: [ModelMessage]
    /// The tools it may call; empty: none are mentioned.
    package var tools: [ModelTool]
    /// False asks for the answer in one piece; the events are the same, only fewer.
    package var streaming: Bool
    /// False leaves out the `reasoning` events, and where the provider can, the reasoning's way over the wire.
    package var includeReasoning: Bool
    /// In place of the model's own limit.
    package var maxOutputTokens: Int?
    /// In place of the model's own temperature.
    package var temperature: Double?

    /// A streamed turn with the model's own settings.
    package init(
        model: ModelConfiguration,
        messages: [ModelMessage],
        tools: [ModelTool] = [],
        streaming: Bool = true,
        includeReasoning: Bool = true,
        maxOutputTokens: Int? = nil,
        temperature: Double? = nil
    ) {
        self.model = model
        self.messages = messages
        self.tools = tools
        self.streaming = streaming
        self.includeReasoning = includeReasoning
        self.maxOutputTokens = maxOutputTokens
        self.temperature = temperature
    }
}
