import Domain
import Foundation
package import HTTPClient

/// A local Ollama, which is a provider without any configuration when it runs.
package struct LocalModelServer: Sendable {
    private static let answerBytesMax = 1024 * 1024
    private static let modelsMax = 100

    private struct Models: Decodable {
        struct Model: Decodable {
            var id: String
        }

        var data: [Model]
    }

    /// The names of its models; empty when none answers at `OLLAMA_BASE_URL` or Ollama's default port within a second.
    package static func models(client: HTTPClient, environment: [String: String]) async -> [String] {
        guard let ollama = KnownProvider.named("ollama") else { return [] }
        var request = OutboundRequest(.get, ollama.base(in: ProviderKeys(environment: environment)) + "/models")
        request.connectTimeout = .milliseconds(300)
        request.idleTimeout = .seconds(1)
        // Not being there is the usual case, not an error.
        guard let response = try? await client.send(request), response.status == 200,
            let body = try? await response.body.collect(upTo: Self.answerBytesMax),
            let models = try? JSONDecoder().decode(Models.self, from: Data(body))
        else { return [] }
        return models.data.prefix(Self.modelsMax).map(\.id)
    }
}
