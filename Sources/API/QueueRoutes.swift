import Domain
import HTTPTypes
import Hummingbird
import PenguinAPI

/// `/queue…`: how much waits and who works; for administrators the switch of all jobs, and the end of a worker.
struct QueueRoutes: Sendable {
    let penguin: Penguin
    let bodyBytesMax: Int

    func add(to routes: inout Routes) {
        routes.get("/api/v1/queue", self.getStatus)
        routes.patch("/api/v1/queue", self.patchQueue)
        routes.post("/api/v1/queue/workers/{id}/drain", self.postDrain)
    }

    private func getStatus(request: Request, context: AppContext) async throws -> Response {
        let scope = context.caller.isAdmin ? nil : context.tenant
        return try Response.json(try await self.penguin.queueStatus(of: scope))
    }

    private func patchQueue(request: Request, context: AppContext) async throws -> Response {
        try context.requireAdmin()
        var body = try await request.jsonObject(upTo: self.bodyBytesMax)
        if !body.has("paused") { body.refuse("paused", "is required", type: "missing") }
        let isPaused = body.bool("paused")
        try body.check()
        if let isPaused { try await self.penguin.setPaused(isPaused) }
        return try await self.getStatus(request: request, context: context)
    }

    private func postDrain(request: Request, context: AppContext) async throws -> Response {
        try context.requireAdmin()
        let id = WorkerID(rawValue: try context.parameters.require("id"))
        try await self.penguin.drain(worker: id)
        return try Response.json(Draining(workerID: id, draining: true), status: .accepted)
    }

    private struct Draining: Encodable {
        let workerID: WorkerID
        let draining: Bool

        enum CodingKeys: String, CodingKey {
            case workerID = "worker_id"
            case draining
        }
    }
}
