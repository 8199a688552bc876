import Foundation

/// One chunk of a streamed answer, or a whole answer: the two differ in `delta` and `message` only.
///
/// What an answer can do without is read leniently: a member of an unexpected type counts as absent.
struct ChatChunk: Decodable {
    var choices: [Choice]?
    var usage: Usage?
    var fault: ProviderFaultBody?

    struct Choice: Decodable {
        var index: Int?
        var said: Said?
        var finishReason: String?

        enum CodingKeys: String, CodingKey {
            case index, delta, message
            case finishReason = "finish_reason"
        }

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            self.index = try? members.decodeIfPresent(Int.self, forKey: .index)
            self.said =
                try members.decodeIfPresent(Said.self, forKey: .delta)
                ?? members.decodeIfPresent(Said.self, forKey: .message)
            self.finishReason = try? members.decodeIfPresent(String.self, forKey: .finishReason)
        }
    }

    /// Why a text is a list of parts at some providers: images and thoughts have their own types there.
    struct Part: Decodable {
        var text: String?
        var summary: String?
    }

    struct Said: Decodable {
        var content: String?
        var reasoning: String?
        var toolCalls: [Call]?

        enum CodingKeys: String, CodingKey {
            case content, refusal, reasoning
            case reasoningContent = "reasoning_content"
            case reasoningDetails = "reasoning_details"
            case toolCalls = "tool_calls"
        }

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            if let parts = try? members.decodeIfPresent([Part].self, forKey: .content) {
                self.content = parts.compactMap(\.text).joined()
            } else {
                self.content = try members.decodeIfPresent(String.self, forKey: .content)
            }
            // A refusal is what the model says instead of an answer.
            if self.content?.isEmpty ?? true, let refusal = try? members.decodeIfPresent(String.self, forKey: .refusal)
            {
                self.content = refusal
            }
            self.reasoning = Self.reasoning(in: members)
            self.toolCalls = try members.decodeIfPresent([Call].self, forKey: .toolCalls)
        }

        /// The first that says something: several members may carry the same text.
        private static func reasoning(in members: KeyedDecodingContainer<CodingKeys>) -> String? {
            for key in [CodingKeys.reasoning, .reasoningContent] {
                if let text = try? members.decodeIfPresent(String.self, forKey: key), !text.isEmpty { return text }
            }
            let details = try? members.decodeIfPresent([Part].self, forKey: .reasoningDetails)
            return details?.compactMap { $0.text ?? $0.summary }.joined()
        }
    }

    struct Call: Decodable {
        struct Function: Decodable {
            var name: String?
            var arguments: String?
        }

        var index: Int?
        var id: String?
        var function: Function?
    }

    enum CodingKeys: String, CodingKey {
        case choices, usage, error, object
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        self.choices = try members.decodeIfPresent([Choice].self, forKey: .choices)
        self.usage = try? members.decodeIfPresent(Usage.self, forKey: .usage)
        self.fault = try? members.decodeIfPresent(ProviderFaultBody.self, forKey: .error)
        // An old vLLM writes its errors flat.
        if let object = try? members.decodeIfPresent(String.self, forKey: .object), object == "error" {
            self.fault = try? ProviderFaultBody(from: decoder)
        }
    }

    /// Reads the bytes of one chunk; halves of surrogate pairs become U+FFFD.
    ///
    /// They are replaced beforehand: a member that is read leniently would otherwise be lost without an error.
    static func decode(_ bytes: [UInt8]) throws -> ChatChunk {
        try JSONDecoder().decode(ChatChunk.self, from: Data(LoneSurrogates.replaced(in: bytes) ?? bytes))
    }
}
