import Foundation
import NIOCore

/// The bytes around a token, made once per answer.
struct FakeProviderEncoder {
    private let beforeDelta: [UInt8]
    private let beforeContent: [UInt8]
    private let afterContent: [UInt8]
    private let afterDelta: [UInt8]
    private let newline: String

    init(model: String, crlf: Bool) {
        self.newline = crlf ? "\r\n" : "\n"
        let head = #"data: {"id":"chatcmpl-fake","object":"chat.completion.chunk","created":1,"model":"#
        let before = head + Self.quoted(model) + #","choices":[{"index":0,"delta":{"#
        let after = #"},"finish_reason":null}]}"# + self.newline + self.newline
        self.beforeDelta = Array(before.utf8)
        self.beforeContent = Array((before + #""content":""#).utf8)
        self.afterContent = Array(("\"" + after).utf8)
        self.afterDelta = Array(after.utf8)
    }

    /// A JSON string with its quotes.
    static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let data = try? encoder.encode(text) else { return "\"\"" }
        return String(decoding: data, as: UTF8.self)
    }

    /// A chunk with a piece of text; `write` appends it, escaped already.
    func content(into buffer: inout ByteBuffer, _ write: (inout ByteBuffer) -> Void) {
        buffer.writeBytes(self.beforeContent)
        write(&buffer)
        buffer.writeBytes(self.afterContent)
    }

    /// A chunk with any other delta, given by its members.
    func delta(_ members: String, into buffer: inout ByteBuffer) {
        buffer.writeBytes(self.beforeDelta)
        buffer.writeString(members)
        buffer.writeBytes(self.afterDelta)
    }

    /// An event of any data.
    func event(_ data: String, into buffer: inout ByteBuffer) {
        buffer.writeString("data: \(data)\(self.newline)\(self.newline)")
    }

    func comment(into buffer: inout ByteBuffer) {
        buffer.writeString(": OPENROUTER PROCESSING\(self.newline)\(self.newline)")
    }

    /// The members of a delta that carries reasoning.
    static func reasoning(_ text: String, field: String) -> String {
        guard field == "reasoning_details" else { return "\"\(field)\":\(self.quoted(text))" }
        return #""reasoning_details":[{"type":"reasoning.text","text":"# + self.quoted(text) + "}]"
    }

    /// An error object as OpenAI writes it.
    static func error(_ message: String, type: String, code: String) -> String {
        #"{"error":{"message":"# + self.quoted(message) + #","type":"\#(type)","param":null,"code":\#(code)}}"#
    }
}
