import Domain
import Foundation

/// A turn as the body of `POST /chat/completions`.
///
/// The members come in a fixed order, so that equal prompts are equal bytes, which a provider's prompt cache needs.
/// OpenAI: Chat Completions; OpenRouter: Reasoning Tokens.
enum ChatCompletionsBody {
    /// Throws `.badRequest` for a tool whose schema is not a JSON object.
    static func encode(_ request: ModelRequest) throws(ModelError) -> [UInt8] {
        for tool in request.tools { try self.check(tool) }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("model", request.model.model)
            writer.name("messages")
            writer.array { writer in
                for message in request.messages { self.write(message, for: request.model, to: &writer) }
            }
            if !request.tools.isEmpty { self.write(request.tools, to: &writer) }
            writer.member("stream", raw: request.streaming ? "true" : "false")
            if request.streaming { writer.member("stream_options", raw: #"{"include_usage":true}"#) }
            self.writeSettings(of: request, to: &writer)
        }
        return writer.bytes
    }

    private static func check(_ tool: ModelTool) throws(ModelError) {
        let schema = try? JSONSerialization.jsonObject(with: Data(tool.parametersSchema.utf8))
        guard schema is [String: Any] else {
            throw ModelError(.badRequest, "the schema of the tool \(tool.name) is not a JSON object")
        }
    }

    private static func write(_ message: ModelMessage, for model: ModelConfiguration, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("role", message.role.rawValue)
            writer.name("content")
            if message.content.isEmpty && !message.toolCalls.isEmpty {
                writer.raw("null")
            } else {
                writer.string(message.content)
            }
            if let id = message.toolCallID { writer.member("tool_call_id", id) }
            // Only OpenRouter passes a turn's reasoning back to the model; others refuse the member.
            if let reasoning = message.reasoning, model.provider == "openrouter" {
                writer.member("reasoning", reasoning)
            }
            guard !message.toolCalls.isEmpty else { return }
            writer.name("tool_calls")
            writer.array { writer in
                for call in message.toolCalls { self.write(call, to: &writer) }
            }
        }
    }

    private static func write(_ call: ToolCall, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", call.id)
            writer.member("type", "function")
            writer.name("function")
            writer.object { writer in
                writer.member("name", call.name)
                writer.member("arguments", call.arguments)
            }
        }
    }

    private static func write(_ tools: [ModelTool], to writer: inout JSONWriter) {
        writer.name("tools")
        writer.array { writer in
            for tool in tools {
                writer.object { writer in
                    writer.member("type", "function")
                    writer.name("function")
                    writer.object { writer in
                        writer.member("name", tool.name)
                        writer.member("description", tool.description)
                        writer.member("parameters", raw: tool.parametersSchema)
                    }
                }
            }
        }
    }

    private static func writeSettings(of request: ModelRequest, to writer: inout JSONWriter) {
        let isOpenAI = request.model.provider == "openai"
        if let limit = request.maxOutputTokens ?? request.model.maxOutputTokens {
            // OpenAI's reasoning models refuse the old name; other servers do not know the new one.
            writer.member(isOpenAI ? "max_completion_tokens" : "max_tokens", raw: "\(limit)")
        }
        if let temperature = request.temperature ?? request.model.temperature, temperature.isFinite {
            writer.member("temperature", raw: "\(temperature)")
        }
        guard request.model.provider == "openrouter" else {
            if let effort = request.model.reasoningEffort { writer.member("reasoning_effort", effort) }
            return
        }
        guard request.model.reasoningEffort != nil || !request.includeReasoning else { return }
        writer.name("reasoning")
        writer.object { writer in
            if let effort = request.model.reasoningEffort { writer.member("effort", effort) }
            if !request.includeReasoning { writer.member("exclude", raw: "true") }
        }
    }
}
