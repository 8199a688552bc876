import Domain
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import PenguinAPI

/// `POST /chat/message`, and the plain HTTP side of the chat socket.
struct ChatRoutes: Sendable {
    let penguin: Penguin
    let bodyBytesMax: Int
    let logger: Logger

    func add(to routes: inout Routes) {
        routes.post("/api/v1/chat/message", self.postMessage)
        routes.get("/api/v1/chat/stream", Self.upgradeRequired)
    }

    private func postMessage(request: Request, context: AppContext) async throws -> Response {
        var body = try await request.jsonObject(upTo: self.bodyBytesMax)
        let ticket = try await self.penguin.submit(try ChatRequest(&body), by: context.tenant)
        if request.headers[.prefer]?.contains("respond-async") == true {
            return try self.accepted(ticket)
        }
        guard let terminal = await self.penguin.end(of: ticket) else { return try self.accepted(ticket) }
        switch terminal.type {
        case .complete:
            // The event's data is the answer, byte for byte.
            return Response.json(bytes: ByteBuffer(terminal.data))
        case .cancelled:
            throw RequestError(status: .conflict, code: "cancelled", message: "The job was cancelled.")
        default:
            let errors = ErrorResponses(requestID: context.requestID, logger: self.logger)
            guard case .failed(_, let failure) = try ChatResult(terminal, of: ticket.jobID) else {
                throw PenguinError(.internal, "A job ended with \(terminal.type).")
            }
            return errors.response(to: failure)
        }
    }

    /// 202: the job runs on, and here is where to look.
    private func accepted(_ ticket: ChatTicket) throws -> Response {
        let path = "/api/v1/jobs/\(ticket.jobID)"
        var response = try Response.json(
            Accepted(jobID: ticket.jobID, conversationID: ticket.conversationID, status: "accepted", location: path),
            status: .accepted
        )
        response.headers[.location] = path
        return response
    }

    /// The answer to a plain GET of a socket's path.
    @Sendable static func upgradeRequired(request: Request, context: AppContext) async throws -> Response {
        throw RequestError(
            status: .upgradeRequired,
            code: "upgrade_required",
            message: "This path speaks WebSocket, version 13. Only the first request of a connection can be upgraded.",
            headers: [.upgrade: "websocket"]
        )
    }

    private struct Accepted: Encodable {
        let jobID: JobID
        let conversationID: ConversationID
        let status: String
        let location: String

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case conversationID = "conversation_id"
            case status, location
        }
    }
}
