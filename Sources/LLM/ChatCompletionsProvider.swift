import Domain
import HTTPClient

/// OpenAI's chat completions, streamed by server-sent events: OpenAI, OpenRouter, Ollama, vLLM, llama.cpp, LiteLLM.
struct ChatCompletionsProvider: ModelProvider {
    let client: HTTPClient
    let keys: ProviderKeys

    func stream(_ request: ModelRequest) -> ModelEventStream {
        ModelEventStream { ChatCompletionsSource(client: self.client, keys: self.keys, request: request) }
    }
}

/// One turn: sends the request when the first event is asked for, then reads as it is asked.
private struct ChatCompletionsSource: ModelEventSource {
    private enum Phase {
        case notSent
        case reading(OutboundBody.AsyncIterator, OutboundBody)
        case ended
    }

    let client: HTTPClient
    let keys: ProviderKeys
    let request: ModelRequest
    private var phase = Phase.notSent
    private var reader: ChatAnswerReader
    private var ready: ArraySlice<ModelEvent> = []
    /// Thrown once the events before it were handed out.
    private var failure: ModelError?

    init(client: HTTPClient, keys: ProviderKeys, request: ModelRequest) {
        self.client = client
        self.keys = keys
        self.request = request
        self.reader = ChatAnswerReader(contentType: nil, model: request.model, includeReasoning: false)
    }

    mutating func next(isolation actor: isolated (any Actor)?) async throws(ModelError) -> ModelEvent? {
        while true {
            if let event = self.ready.popFirst() { return event }
            if let failure = self.failure.take() {
                self.phase = .ended
                throw self.presentable(failure)
            }
            switch self.phase {
            case .ended: return nil
            case .notSent: await self.open(isolation: actor)
            case .reading(var iterator, let body):
                await self.read(&iterator, body, isolation: actor)
            }
        }
    }

    private mutating func open(isolation actor: isolated (any Actor)?) async {
        do throws(ModelError) {
            try await self.send(isolation: actor)
        } catch {
            self.failure = error
        }
    }

    private mutating func send(isolation actor: isolated (any Actor)?) async throws(ModelError) {
        let outbound = try self.outboundRequest()
        let response: OutboundResponse
        do throws(HTTPClientError) {
            response = try await self.client.send(outbound)
        } catch {
            throw ProviderFault.error(for: error)
        }
        guard (200..<300).contains(response.status) else {
            let body = await self.start(of: response.body, isolation: actor)
            throw ProviderFault.error(status: response.status, headers: response.headers, body: body)
        }
        self.reader = ChatAnswerReader(
            contentType: response.headers["content-type"],
            model: self.request.model,
            includeReasoning: self.request.includeReasoning
        )
        self.phase = .reading(response.body.makeAsyncIterator(), response.body)
    }

    /// As much of an error's body as is read; what broke it off matters less than the status.
    private func start(of body: OutboundBody, isolation actor: isolated (any Actor)?) async -> [UInt8] {
        var start: [UInt8] = []
        var iterator = body.makeAsyncIterator()
        while start.count < ProviderFault.bodyBytesMax, let piece = try? await iterator.next(isolation: actor) {
            start += piece
        }
        return Array(start.prefix(ProviderFault.bodyBytesMax))
    }

    private mutating func read(
        _ iterator: inout OutboundBody.AsyncIterator,
        _ body: OutboundBody,
        isolation actor: isolated (any Actor)?
    ) async {
        do throws(HTTPClientError) {
            if let piece = try await iterator.next(isolation: actor) {
                self.ready = self.reader.read(piece)[...]
            } else {
                self.ready = self.reader.end(nil)[...]
            }
        } catch {
            self.ready = self.reader.end(error)[...]
        }
        if let failure = self.reader.failure {
            self.failure = failure
        } else if self.reader.isComplete {
            // The body's end follows at once; taking it in lets the connection live on.
            body.discardRest()
            self.phase = .ended
        }
    }
}

extension ChatCompletionsSource {
    private func outboundRequest() throws(ModelError) -> OutboundRequest {
        let model = self.request.model
        var headers = [
            (name: "Content-Type", value: "application/json"),
            (name: "Accept", value: self.request.streaming ? "text/event-stream" : "application/json"),
        ]
        if let variable = model.apiKeyVariable {
            guard let key = self.keys.value(of: variable) else {
                throw ModelError(.authentication, "\(variable) is not set")
            }
            headers.append((name: "Authorization", value: "Bearer \(key)"))
        }
        if model.provider == "openrouter" { headers.append((name: "X-Title", value: "Penguin")) }
        var base = model.apiBase
        while base.hasSuffix("/") { base.removeLast() }
        let body = try ChatCompletionsBody.encode(self.request)
        var outbound = OutboundRequest(.post, base + "/chat/completions", headers: headers, body: body)
        outbound.idleTimeout = .seconds(max(1, model.idleTimeoutSeconds))
        return outbound
    }

    /// The error with the provider's name, without keys and control characters, and not too long.
    private func presentable(_ error: ModelError) -> ModelError {
        let used = self.request.model.apiKeyVariable.flatMap(self.keys.value(of:))
        let words = self.keys.redact(error.message, used: used)
        let line = String(words.map { $0.isNewline || $0.asciiValue.map { $0 < 0x20 } == true ? " " : $0 })
        var presentable = error
        let answered = error.status.map { " answered \($0)" } ?? ""
        presentable.message = String(
            "\(self.request.model.provider)\(answered): \(line)".prefix(ModelError.messageCharactersMax)
        )
        return presentable
    }
}
