import Domain
import Foundation
import Yams

/// Turns `model_configs` into values of the domain.
struct ModelConfigurationReader {
    /// More models than anybody chooses from.
    static let modelsMax = 1000
    /// Providers whose address and key the catalogue knows.
    static let knownProviders = ["openai", "openrouter", "anthropic", "ollama", "offline"]

    private let id: String

    /// All models in the order of the file.
    static func all(reading reader: inout SettingsReader) -> [ModelConfiguration] {
        let name = Settings.LLM.modelSection.name
        guard let file = reader.file, let (node, line) = file.value(at: [name]), let models = node.mapping else {
            return []
        }
        guard models.count <= self.modelsMax else {
            reader.add(.badValue, under: name, "more than \(self.modelsMax) models", at: file.origin(line: line))
            return []
        }
        return models.compactMap { key, value in
            let id = key.string ?? ""
            guard NameCharacters.isModelID(id) else {
                let message = "\(SettingsError.quoted(id)) is no id: expected 1 to 128 letters, digits or . _ - : / @ +"
                reader.add(.badValue, under: name, message, at: file.origin(line: key.mark?.line))
                return nil
            }
            // What is not a map has been noted with the unknown keys.
            return value.mapping == nil
                ? nil : Self(id: id).configuration(&reader, at: file.origin(line: key.mark?.line))
        }
    }

    private func configuration(_ reader: inout SettingsReader, at origin: SettingsError.Origin) -> ModelConfiguration {
        let provider = self.provider(&reader, at: origin)
        return ModelConfiguration(
            id: self.id,
            model: reader.text(self.name("model"), id: self.id) ?? self.id,
            provider: provider,
            wireFormat: self.wireFormat(&reader, provider: provider),
            apiBase: self.apiBase(&reader, provider: provider, at: origin),
            apiKeyVariable: reader.text(self.name("api_key_env"), id: self.id, where: NameCharacters.isVariable),
            maxOutputTokens: self.outputTokens(&reader),
            temperature: reader.optionalNumber(self.name("temperature"), id: self.id),
            contextWindow: reader.integer(self.name("context_window"), id: self.id),
            visionEnabled: reader.flag(self.name("vision_enabled"), id: self.id),
            reasoningEffort: reader.optionalChoice(self.name("reasoning_effort"), id: self.id),
            idleTimeoutSeconds: reader.integer(self.name("idle_timeout_seconds"), id: self.id),
            promptPrice: reader.optionalNumber(self.name("prompt_price"), id: self.id),
            completionPrice: reader.optionalNumber(self.name("completion_price"), id: self.id)
        )
    }

    private func provider(_ reader: inout SettingsReader, at origin: SettingsError.Origin) -> String {
        let name = self.name("provider")
        let isGiven = reader.given(name, id: self.id) != nil
        let provider = reader.text(name, id: self.id) { text in
            (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(NameCharacters.isPlain)
                && text == text.lowercased()
        }
        if !isGiven {
            let known = Self.knownProviders.joined(separator: ", ")
            reader.add(.missingValue, name, id: self.id, "is missing: expected \(known) or a name of yours", at: origin)
        }
        return provider ?? ""
    }

    private func wireFormat(_ reader: inout SettingsReader, provider: String) -> ModelConfiguration.WireFormat {
        let given = reader.optionalChoice(self.name("wire_format"), id: self.id)
        if provider == "offline" { return .offline }
        let fallback: ModelConfiguration.WireFormat = provider == "anthropic" ? .anthropic : .openAI
        return given.flatMap(ModelConfiguration.WireFormat.init(rawValue:)) ?? fallback
    }

    private func apiBase(
        _ reader: inout SettingsReader,
        provider: String,
        at origin: SettingsError.Origin
    ) -> String {
        let name = self.name("api_base")
        guard let given = reader.given(name, id: self.id) else {
            if !provider.isEmpty, !Self.knownProviders.contains(provider) {
                reader.add(.missingValue, name, id: self.id, "is missing: provider \(provider) needs one", at: origin)
            }
            return ""
        }
        let base = String(given.text.reversed().drop { $0 == "/" }.reversed())
        guard let parts = URLComponents(string: base), Self.isBase(parts), !base.contains(where: \.isWhitespace) else {
            reader.refuse(name, id: self.id, given)
            return ""
        }
        return base
    }

    /// `max_tokens` is the name that older files use.
    private func outputTokens(_ reader: inout SettingsReader) -> Int? {
        let tokens = reader.optionalInteger(self.name("max_output_tokens"), id: self.id)
        let older = self.name("max_tokens")
        let olderTokens = reader.optionalInteger(older, id: self.id)
        if tokens != nil, let given = reader.given(older, id: self.id) {
            reader.refuse(older, id: self.id, given, because: "max_output_tokens says it already")
        }
        return tokens ?? olderTokens
    }

    private func name(_ leaf: String) -> String { "\(Settings.LLM.modelSection.name).<id>.\(leaf)" }

    private static func isBase(_ parts: URLComponents) -> Bool {
        (parts.scheme == "http" || parts.scheme == "https") && parts.host?.isEmpty == false
            && parts.user == nil && parts.password == nil && parts.query == nil && parts.fragment == nil
            && !parts.path.hasSuffix("/chat/completions") && !parts.path.hasSuffix("/messages")
    }
}
