import NIOCore
import NIOHTTP1
import NIOPosix

/// A model provider for tests and measurements: a real HTTP server that speaks OpenAI's wire format and does what the
/// prompt tells it to.
///
/// `POST /v1/chat/completions` answers streamed (`"stream": true`) or in one piece; `GET /v1/models` lists one model.
/// The last user message may contain directives in double brackets, several in one pair or each in its own:
///
/// | directive | effect |
/// |---|---|
/// | `tokens=200` | so many tokens `tok0 tok1 … ` (default 10) |
/// | `size=40` | each token filled up to so many characters |
/// | `delay=10ms` | between tokens (`us`, `ms`, `s`; default none) |
/// | `first=500ms` | before the answer's head |
/// | `batch=16` | tokens per network write (default: one with a delay, else up to 8 KiB) |
/// | `reasoning=20` | so many tokens `think0 think1 … ` first; `field=reasoning_content` or `reasoning_details` |
/// | `say=any text` | exactly this text, to the brackets' end; a group of its own |
/// | `echo` · `history` | the whole last message · the roles and contents it was sent, as compact JSON |
/// | `stamp` · `stamp=all` | the first token is `stamp@<ns> `, CLOCK_MONOTONIC · every token is `tok7@<ns> ` |
/// | `tool=name {json}` | a tool call; a group of its own; several are called one per turn, with `together` at once |
/// | `usage=off` · `cost=0.01` | no usage · a cost in it |
/// | `finish=length` · `finish=none` | another reason · neither reason nor `[DONE]`, only the body's end |
/// | `nodone` · `crlf` · `comments` | no `[DONE]` · CRLF line ends · keep-alive comments between the events |
/// | `split=3` | written in pieces of so many bytes |
/// | `json` | one JSON object although a stream was asked for |
/// | `error=429` | that status, with `retry_after=1`, `html` (a page for a body), `echo_key` (quotes the key it got) |
/// | `error=context` | 400 with `context_length_exceeded` |
/// | `drop` · `cut=5` | closes the connection before the head · after so many tokens |
/// | `hang` · `hang=3` | silence before the head · after so many tokens |
/// | `garbage` · `garbage=3` | an event that is no JSON, first or after so many tokens |
/// | `fail=5` | an error object in the stream after so many tokens, `status=502` by default |
/// | `times=2` | the fault strikes only the first so many times for this very message, or for `id=any` |
///
/// `error` to `fail` are the faults; of several the last counts. In one piece a `cut` answer breaks off in its middle.
///
/// Once a tool call was answered (tool messages after the last user message), the next one is made, and after the last
/// one the text comes.
package final class FakeProvider: Sendable {
    /// The port it listens on.
    package let port: Int
    private let host: String
    private let state: FakeProviderState
    private let group: MultiThreadedEventLoopGroup

    private init(host: String, port: Int, state: FakeProviderState, group: MultiThreadedEventLoopGroup) {
        self.host = host
        self.port = port
        self.state = state
        self.group = group
    }

    /// Starts one on its own thread; port 0 takes a free one, `requiredKey` makes it refuse others with 401.
    package static func start(
        port: Int = 0,
        host: String = "127.0.0.1",
        requiredKey: String? = nil
    ) async throws -> FakeProvider {
        let state = FakeProviderState(requiredKey: requiredKey)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 4096)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
                        try channel.pipeline.syncOperations.addHandler(decoder)
                        try channel.pipeline.syncOperations.addHandler(FakeProviderConnection(state: state))
                    }
                }
                .bind(host: host, port: port).get()
            let bound = channel.localAddress?.port ?? port
            return FakeProvider(host: host, port: bound, state: state, group: group)
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
    }

    /// What `api_base` or `OPENAI_BASE_URL` has to be.
    package var baseURL: String { "http://\(self.host):\(self.port)/v1" }

    /// What it has done so far.
    package var counters: FakeProviderCounters { self.state.counters }

    /// The requests it got, oldest first; of a long run the newest `FakeProviderState.requestsMax`.
    package var requests: [FakeProviderRequest] { self.state.requests }

    /// How often each text was asked and answered, for the first 100,000 texts.
    package var tallies: [String: FakeProviderTally] { self.state.tallies }

    /// Closes every connection and ends its thread.
    package func stop() async {
        // Nothing can be done about a thread that does not end.
        try? await self.group.shutdownGracefully()
    }
}

/// Runs `body` with a provider that is stopped afterwards.
package func withFakeProvider<R>(
    requiredKey: String? = nil,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (FakeProvider) async throws -> R
) async throws -> R {
    let provider = try await FakeProvider.start(requiredKey: requiredKey)
    do {
        let result = try await body(provider)
        await provider.stop()
        return result
    } catch {
        await provider.stop()
        throw error
    }
}
