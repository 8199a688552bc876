import Domain
import HTTPTypes
import Hummingbird
import NIOCore
import PenguinAPI

/// `/jobs…`: list jobs, look at one, follow it, end it, have it done once more, remove it.
struct JobRoutes: Sendable {
    private static let listDefault = 100
    private static let limits = 1...1000

    let penguin: Penguin
    let bodyBytesMax: Int

    func add(to routes: inout Routes) {
        routes.get("/api/v1/jobs", self.getList)
        routes.post("/api/v1/jobs/retry", self.postRetryMany)
        routes.get("/api/v1/jobs/{id}", self.getJob)
        routes.delete("/api/v1/jobs/{id}", self.deleteJob)
        routes.get("/api/v1/jobs/{id}/events", self.getEvents)
        routes.post("/api/v1/jobs/{id}/cancel", self.postCancel)
        routes.post("/api/v1/jobs/{id}/retry", self.postRetry)
    }

    private func getList(request: Request, context: AppContext) async throws -> Response {
        let query = QueryReader(request: request)
        let page = try await self.penguin.jobs(
            JobQuery(
                try query.jobFilter(),
                limit: try query.integer("limit", default: Self.listDefault, in: Self.limits),
                cursor: try query.jobID("cursor", "must be a next_cursor of this list")
            ),
            of: context.tenant
        )
        return try Response.json(page)
    }

    private func getJob(request: Request, context: AppContext) async throws -> Response {
        try Response.json(try await self.penguin.job(Self.id(context), of: context.tenant))
    }

    private func postCancel(request: Request, context: AppContext) async throws -> Response {
        let job = try await self.penguin.cancel(Self.id(context), of: context.tenant)
        return try Response.json(job, status: job.state.isTerminal ? .ok : .accepted)
    }

    private func postRetry(request: Request, context: AppContext) async throws -> Response {
        let job = try await self.penguin.retry(Self.id(context), of: context.tenant)
        var response = try Response.json(job, status: .accepted)
        response.headers[.location] = job.links.`self`
        return response
    }

    private func postRetryMany(request: Request, context: AppContext) async throws -> Response {
        // Not without a body: the path for one job whose id was left empty comes here too.
        var body = try await request.jsonObject(upTo: self.bodyBytesMax)
        let filter = body.retryFilter()
        let limit = body.integer("limit") ?? Self.limits.upperBound
        if !Self.limits.contains(limit) { body.refuse("limit", "must be from 1 to \(Self.limits.upperBound)") }
        try body.check()
        return try Response.json(try await self.penguin.retry(matching: filter, limit: limit, of: context.tenant))
    }

    private func deleteJob(request: Request, context: AppContext) async throws -> Response {
        try await self.penguin.delete(Self.id(context), of: context.tenant)
        return try Response.json(["removed": true])
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
