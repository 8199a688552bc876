import HTTPTypes
import Hummingbird
import PenguinAPI

/// `/health`, `/livez`, `/readyz`: for orchestrators and people.
struct ProbeRoutes: Sendable {
    /// Served without a key and for any host.
    static let paths: Set<String> = ["/livez", "/readyz"]

    let penguin: Penguin

    func add(to routes: inout Routes) {
        routes.get("/livez") { _, _ in try Response.json(["status": "alive"]) }
        routes.get("/readyz", self.getReady)
        routes.get("/health", self.getHealth)
        routes.get("/api/v1/health", self.getHealth)
    }

    private func getHealth(request: Request, context: AppContext) async throws -> Response {
        try Response.json(await self.penguin.health())
    }

    private func getReady(request: Request, context: AppContext) async throws -> Response {
        let health = await self.penguin.health()
        return try Response.json(
            [
                "status": health.isReady ? "ready" : "not ready", "redis": health.redis.detail,
                "database": health.database.detail, "workers": health.workers.detail,
            ],
            status: health.isReady ? .ok : .serviceUnavailable
        )
    }
}
