package import NIOCore

/// One complete message, whatever number of frames carried it.
package enum WebSocketMessage: Sendable, Equatable {
    /// UTF-8, already validated.
    case text(ByteBuffer)
    case binary(ByteBuffer)

    /// The payload, of either kind.
    package var payload: ByteBuffer {
        switch self {
        case .text(let payload), .binary(let payload): payload
        }
    }
}
