import Foundation
import HTTPClient

/// What a provider's refusal, or a failed transfer, means.
enum ProviderFault {
    /// Bytes of an error's body that are read.
    static let bodyBytesMax = 64 * 1024

    /// The error behind a status that is no 2xx.
    static func error(status: Int, headers: OutboundHeaders, body: [UInt8]) -> ModelError {
        var error: ModelError
        if let fault = ProviderFaultBody.decode(body) {
            error = fault.error(status: status)
        } else {
            let words = self.words(in: body, contentType: headers["content-type"])
            error = ModelError(self.code(status: status, name: nil, words: words), words, status: status)
        }
        error.retryAfter = RetryAfter.delay(in: headers, now: Date())
        return error
    }

    /// The error behind a transfer that failed before the answer began.
    static func error(for fault: HTTPClientError) -> ModelError {
        switch fault.code {
        case .cancelled, .shutDown: ModelError(.cancelled, fault.message)
        case .timeout: ModelError(.timeout, fault.message)
        case .tls: ModelError(.tls, fault.message)
        case .connect, .dns, .reset, .failed: ModelError(.connection, fault.message)
        case .invalidRequest: ModelError(.badRequest, fault.message)
        case .tooLarge: ModelError(.answerTooLarge, fault.message)
        case .protocolError: ModelError(.malformed, fault.message)
        }
    }

    /// The kind of an error by its status, its name at the provider and its words; no status: an error in a stream.
    static func code(status: Int?, name: String?, words: String) -> ModelError.Code {
        let name = name?.lowercased() ?? ""
        switch status {
        case 401, 403: return .authentication
        case 402: return .quotaExceeded
        case 404: return .notFound
        case 408: return .timeout
        case 409, 425, 503, 529: return .overloaded
        case 429: return name == "insufficient_quota" ? .quotaExceeded : .rateLimited
        case .some(500...): return .serverError
        case 400, 413, 422: return self.isAboutContext(name, words) ? .contextTooLong : .badRequest
        case .some: return .badRequest
        case nil: return self.code(name: name, words: words)
        }
    }

    private static func code(name: String, words: String) -> ModelError.Code {
        if self.isAboutContext(name, words) { return .contextTooLong }
        if name.contains("rate_limit") { return .rateLimited }
        if name.contains("quota") || name.contains("billing") { return .quotaExceeded }
        if name.contains("api_key") || name.contains("authentication") || name.contains("permission") {
            return .authentication
        }
        if name.contains("overloaded") || name.contains("unavailable") { return .overloaded }
        if name.contains("timeout") { return .timeout }
        if name.contains("not_found") { return .notFound }
        if name.contains("invalid_request") || name.contains("content_policy") { return .badRequest }
        return .serverError
    }

    /// Providers have one name for it or none, and many ways to say it.
    private static func isAboutContext(_ name: String, _ words: String) -> Bool {
        if name.contains("context_length") || name.contains("context_window") { return true }
        let words = words.lowercased()
        let phrases = [
            "context length", "context window", "context size", "maximum context", "prompt is too long",
            "input is too long", "too many tokens", "input token count", "reduce the length of the messages",
        ]
        return phrases.contains { words.contains($0) }
    }

    /// What a body without an error object says: a page's title, else its text.
    static func words(in body: [UInt8], contentType: String?) -> String {
        let text = String(decoding: body, as: UTF8.self)
        let start = text.drop(while: \.isWhitespace)
        guard contentType?.lowercased().contains("html") == true || start.hasPrefix("<") else {
            return start.isEmpty ? "no explanation" : String(start.prefix(ModelError.messageCharactersMax))
        }
        guard let open = text.range(of: "<title>", options: .caseInsensitive),
            let close = text.range(of: "</title>", options: .caseInsensitive, range: open.upperBound..<text.endIndex)
        else { return "an HTML page" }
        return "an HTML page titled \"\(text[open.upperBound..<close.lowerBound])\""
    }
}
