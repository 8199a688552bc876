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
        var message = try ChatRequest(&body)
        try message.takeKey(from: request)
        let ticket = try await self.penguin.submit(message, by: context.tenant)
        let mustWait = !message.isDelayed && request.headers[.prefer]?.contains("respond-async") != true
        var response = mustWait ? try await self.answer(to: ticket, context) : try self.accepted(ticket)
        if ticket.isReplay { response.headers[.idempotentReplayed] = "true" }
        return response
    }

    /// What the job came to, or 202 when it takes too long.
    private func answer(to ticket: ChatTicket, _ context: AppContext) async throws -> Response {
        guard let terminal = await self.penguin.end(of: ticket) else { return try self.accepted(ticket) }
        let errors = ErrorResponses(requestID: context.requestID, logger: self.logger)
        switch terminal.type {
        case .complete:
            // The event's data is the answer, byte for byte.
            return Response.json(bytes: ByteBuffer(terminal.data))
        case .cancelled:
            return errors.response(status: .conflict, code: "cancelled", message: "The job was cancelled.")
        default:
            guard case .failed(_, let failure) = try ChatResult(terminal, of: ticket.jobID) else {
                throw PenguinError(.internal, "A job ended with \(terminal.type).")
            }
            return errors.response(to: failure)
        }
    }

    /// 202: the job runs on, and here is where to look.
    private func accepted(_ ticket: ChatTicket) throws -> Response {
        let path = "/api/v1/jobs/\(ticket.jobID)"
        let body = Accepted(
            jobID: ticket.jobID,
            conversationID: ticket.conversationID,
            status: "accepted",
            runAt: ticket.runAt,
            location: path
        )
        var response = try Response.json(body, status: .accepted)
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
        /// When it is due; absent for at once.
        let runAt: Timestamp?
        let location: String

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case conversationID = "conversation_id"
            case status
            case runAt = "run_at"
            case location
        }
    }
}
