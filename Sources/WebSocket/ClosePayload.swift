import NIOCore

/// The body of a Close frame: nothing, or a code and a reason.
///
/// RFC 6455, section 5.5.1.
struct ClosePayload: Equatable {
    private static let reasonBytesMax = 123

    /// Nil when the frame is empty.
    let code: WebSocketCloseCode?
    let reason: String

    init(code: WebSocketCloseCode?, reason: String = "") {
        self.code = code
        self.reason = reason
    }

    /// Reads what a peer sent; throws 1002 for a code that may not be sent, 1007 for a reason that is not UTF-8.
    init(_ bytes: ByteBuffer) throws(WebSocketFailure) {
        var bytes = bytes
        guard bytes.readableBytes > 0 else {
            self.init(code: nil)
            return
        }
        guard let code = bytes.readInteger(as: UInt16.self).map(WebSocketCloseCode.init), code.isAllowedInFrame else {
            throw WebSocketFailure(.protocolError, "close code not allowed")
        }
        guard let reason = String(validating: bytes.readableBytesView, as: UTF8.self) else {
            throw WebSocketFailure(.invalidPayload, "close reason is not UTF-8")
        }
        self.init(code: code, reason: reason)
    }

    /// The bytes to send, the reason cut to whole characters that fit.
    var bytes: ByteBuffer {
        var bytes = ByteBuffer()
        guard let code else { return bytes }
        bytes.writeInteger(code.rawValue)
        var room = Self.reasonBytesMax
        for character in self.reason {
            room -= character.utf8.count
            guard room >= 0 else { break }
            bytes.writeString(String(character))
        }
        return bytes
    }
}
