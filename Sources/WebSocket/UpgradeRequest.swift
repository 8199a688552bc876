import HTTPTypes
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// A request that asks for a WebSocket, well-formed or not.
///
/// RFC 6455, section 4.2.1.
struct UpgradeRequest {
    let request: HTTPRequest
    /// Nil when the handshake is well-formed, else the status that says what is wrong with it.
    let fault: HTTPResponseStatus?
    /// The client's permessage-deflate offers and others.
    let extensions: String

    /// Nil when the request asks for no WebSocket, or has a body, which an upgrade cannot have.
    init?(_ head: HTTPRequestHead) {
        let hasBody =
            head.headers.contains(name: "transfer-encoding")
            || head.headers[canonicalForm: "content-length"].contains { $0 != "0" }
        guard head.method == .GET, head.version.minor >= 1, !hasBody,
            head.asksForUpgrade, head.headers.hasToken("websocket", in: "upgrade"),
            let request = try? HTTPRequest(head, secure: false, splitCookie: false)
        else { return nil }
        self.request = request
        self.fault = Self.fault(in: head.headers)
        self.extensions = head.headers["sec-websocket-extensions"].joined(separator: ",")
    }

    private static func fault(in headers: HTTPHeaders) -> HTTPResponseStatus? {
        guard headers["sec-websocket-version"] == ["13"] else { return .upgradeRequired }
        let keys = headers["sec-websocket-key"]
        guard keys.count == 1, let key = keys.first, self.isKey(key) else { return .badRequest }
        return nil
    }

    /// Whether it is the base64 of 16 bytes: 22 characters and two equals signs.
    private static func isKey(_ key: String) -> Bool {
        let characters = Array(key.utf8)
        guard characters.count == 24, characters.suffix(2) == [UInt8(ascii: "="), UInt8(ascii: "=")] else {
            return false
        }
        return characters.dropLast(2).allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
    }
}

extension HTTPRequestHead {
    /// Whether the HTTP parser takes it for an upgrade, and so parses nothing after this request.
    var asksForUpgrade: Bool {
        self.headers.contains(name: "upgrade") && self.headers.hasToken("upgrade", in: "connection")
    }
}

extension HTTPHeaders {
    func hasToken(_ token: String, in name: String) -> Bool {
        self[canonicalForm: name].contains { $0.lowercased() == token }
    }
}
