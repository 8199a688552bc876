import Domain
import HTTPTypes
import Hummingbird

/// `/`: a small page that says what runs here.
struct PageRoutes: Sendable {
    func add(to routes: inout Routes) {
        routes.get("/") { _, _ in
            Response(
                status: .ok,
                headers: [
                    .contentType: "text/html; charset=utf-8",
                    .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'",
                    .xContentTypeOptions: "nosniff",
                ],
                body: .init(byteBuffer: ByteBuffer(string: Self.page))
            )
        }
    }

    private static let page = """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Penguin</title>
        <style>
          body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem;
                 color-scheme: light dark; }
          pre { padding: 1rem; overflow-x: auto; border: 1px solid #8886; border-radius: .5rem; }
          code { font-family: ui-monospace, monospace; }
        </style>
        <h1>Penguin \(PenguinVersion.current)</h1>
        <p>This server runs AI agents as durable jobs. Talk to it over HTTP and WebSocket:</p>
        <pre><code>curl -s localhost:8000/api/v1/chat/message \\
          -H 'content-type: application/json' -d '{"text":"hello"}'</code></pre>
        <ul>
          <li><code>POST /api/v1/chat/message</code>: a message and its answer</li>
          <li><code>WS /api/v1/chat/stream</code>: answers as they are written, resumable</li>
          <li><code>GET /api/v1/jobs</code>, <code>…/{id}</code>, <code>…/events</code>, <code>POST …/cancel</code>,
            <code>…/retry</code>: the jobs behind them</li>
          <li><code>GET /api/v1/queue</code>: what waits, runs and has ended</li>
          <li><code>GET /api/v1/conversations</code>: what was said</li>
          <li><a href="/health"><code>GET /health</code></a>: how Penguin is</li>
        </ul>
        </html>
        """
}
