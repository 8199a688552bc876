import NIOCore

/// Requests as bytes, made once and sent many times.
enum HTTPRequestText {
    static func get(_ path: String) -> ByteBuffer {
        ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    }

    /// `headers` are whole lines, each with its line end.
    static func post(_ path: String, json: String, headers: String = "") -> ByteBuffer {
        let head = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\(headers)"
        return ByteBuffer(string: "\(head)Content-Length: \(json.utf8.count)\r\n\r\n\(json)")
    }

    /// A message to Penguin; `text` needs no escapes.
    static func message(_ text: String, headers: String = "") -> ByteBuffer {
        self.post("/api/v1/chat/message", json: #"{"text":"\#(text)"}"#, headers: headers)
    }

    /// The same to the provider, as Penguin would send it.
    static func completion(_ text: String) -> ByteBuffer {
        let messages = #"[{"role":"user","content":"\#(text)"}]"#
        let options = #""stream":true,"stream_options":{"include_usage":true}"#
        return self.post("/v1/chat/completions", json: #"{"model":"fake",\#(options),"messages":\#(messages)}"#)
    }
}
