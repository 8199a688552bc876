import Domain
import HTTPTypes
import Hummingbird
import NIOCore
import PenguinAPI

/// `/jobs/…`: look at a job, follow it, end it.
struct JobRoutes: Sendable {
    let penguin: Penguin

    func add(to routes: inout Routes) {
        routes.get("/api/v1/jobs/{id}", self.getJob)
        routes.get("/api/v1/jobs/{id}/events", self.getEvents)
        routes.post("/api/v1/jobs/{id}/cancel", self.postCancel)
    }

    private func getJob(request: Request, context: AppContext) async throws -> Response {
        try Response.json(JobView(try await self.penguin.job(Self.id(context), of: context.tenant)))
    }

    private func postCancel(request: Request, context: AppContext) async throws -> Response {
        let job = try await self.penguin.cancel(Self.id(context), of: context.tenant)
        return try Response.json(JobView(job), status: job.state.isTerminal ? .ok : .accepted)
    }

    private func getEvents(request: Request, context: AppContext) async throws -> Response {
        let cursor = try Self.cursor(of: request)
        if cursor != .zero,
            try await self.penguin.hasShownEnd(of: Self.id(context), at: cursor, of: context.tenant)
        {
            // A browser that has everything would come back for ever; 204 tells it to stay away.
            return Response(status: .noContent)
        }
        let feed = try await self.penguin.follow(Self.id(context), after: cursor, of: context.tenant)
        return EventStreamResponse.make(feed, for: request)
    }

    /// Where to go on: `Last-Event-ID`, which browsers send by themselves, or `after`.
    private static func cursor(of request: Request) throws -> EventID {
        guard let text = request.headers[.lastEventID] ?? QueryReader(request: request).string("after") else {
            return .zero
        }
        guard let cursor = EventID(text) else {
            throw QueryReader.refusal("after", "must be an event's id, <epoch>-<sequence>")
        }
        return cursor
    }

    private static func id(_ context: AppContext) throws -> JobID {
        JobID(rawValue: try context.parameters.require("id"))
    }
}
