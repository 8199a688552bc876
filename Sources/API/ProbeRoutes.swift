import HTTPTypes
import Hummingbird
import PenguinAPI

/// `/health`, `/livez`, `/readyz`, `/metrics`: for orchestrators, monitors and people.
struct ProbeRoutes: Sendable {
    /// Served without a key and for any host.
    static let paths: Set<String> = ["/livez", "/readyz"]

    let penguin: Penguin

    func add(to routes: inout Routes) {
        routes.get("/livez") { _, _ in try Response.json(["status": "alive"]) }
        routes.get("/readyz", self.getReady)
        routes.get("/health", self.getHealth)
        routes.get("/api/v1/health", self.getHealth)
        routes.get("/metrics", self.getMetrics)
    }

    private func getHealth(request: Request, context: AppContext) async throws -> Response {
        try Response.json(await self.penguin.health())
    }

    /// Totals over all tenants, so a key is needed where keys are; nothing in it is anybody's data.
    private func getMetrics(request: Request, context: AppContext) async throws -> Response {
        Response.metrics(await self.penguin.metrics())
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
