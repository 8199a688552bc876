import Foundation

/// The error object of an answer: `{"message", "code", "type", "metadata": {"raw"}}`, or only a text.
struct ProviderFaultBody: Decodable {
    var message: String?
    /// `code` where it is a word, else `type`.
    var name: String?
    /// `code` where it is a number: the status of the provider behind the provider.
    var status: Int?
    /// OpenRouter: what the provider behind it said.
    var raw: String?

    private enum CodingKeys: String, CodingKey {
        case error, message, detail, code, type, metadata
    }

    private struct Metadata: Decodable {
        var raw: String?
    }

    init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            self.message = text
            return
        }
        let members = try decoder.container(keyedBy: CodingKeys.self)
        self.message =
            (try? members.decodeIfPresent(String.self, forKey: .message))
            ?? (try? members.decodeIfPresent(String.self, forKey: .detail))
        self.status = try? members.decodeIfPresent(Int.self, forKey: .code)
        let code = try? members.decodeIfPresent(String.self, forKey: .code)
        if let code, let number = Int(code) { self.status = number }
        self.name = code ?? (try? members.decodeIfPresent(String.self, forKey: .type))
        self.raw = (try? members.decodeIfPresent(Metadata.self, forKey: .metadata))?.raw
    }

    /// The error object of a body; nil when the body is no JSON object or says nothing.
    static func decode(_ body: [UInt8]) -> ProviderFaultBody? {
        struct Enclosed: Decodable {
            var error: ProviderFaultBody?
        }
        let data = Data(body)
        if let enclosed = (try? JSONDecoder().decode(Enclosed.self, from: data))?.error { return enclosed }
        guard let flat = try? JSONDecoder().decode(ProviderFaultBody.self, from: data), flat.message != nil else {
            return nil
        }
        return flat
    }

    /// The error it means, under the status of its answer; in a stream under its own.
    func error(status answerStatus: Int?) -> ModelError {
        let status = answerStatus ?? self.status.flatMap { (400..<600).contains($0) ? $0 : nil }
        var words = self.message ?? self.name ?? "no explanation"
        if let raw { words += " (\(raw))" }
        return ModelError(ProviderFault.code(status: status, name: self.name, words: words), words, status: status)
    }
}
