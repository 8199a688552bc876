import Domain
import Engine
import Events
import Foundation
import LLM
import NIOCore
import Queue
import Redis
import ServiceLifecycle
import Store
import TestSupport
import Worker

/// Redis, a database and a scripted model, for any number of workers.
struct WorkBench: Sendable {
    let server: RedisServer
    let redis: RedisClient
    let subscriber: RedisSubscriber
    let address: RedisConfiguration
    let database: SQLiteDatabase
    let file: URL
    let log: EventLog
    let model: ScriptedModel
    let configuration: QueueConfiguration

    /// The queue of one process: the ledger and the streams are everybody's, the dispatcher is its own.
    func queue() -> JobQueue {
        JobQueue(
            database: self.database,
            redis: self.redis,
            log: self.log,
            keys: QueueKeys(prefix: "t:"),
            configuration: self.configuration,
            logger: quietLogger
        )
    }

    // MARK: Jobs

    @discardableResult
    func submit(
        _ text: String,
        id: JobID = JobID(),
        in conversation: ConversationID = ConversationID(),
        priority: JobPriority = .default,
        reasoning: Bool = false,
        timeLimitSeconds: Int? = nil,
        model: String? = nil,
        on queue: JobQueue? = nil
    ) async throws -> JobID {
        let payload = ChatPayload(
            text: text,
            conversationID: conversation,
            userMessageID: MessageID(rawValue: "\(id).user"),
            answerID: MessageID(rawValue: "\(id).answer"),
            includeReasoning: reasoning,
            model: model,
            timeLimitSeconds: timeLimitSeconds
        )
        let job = NewJob(
            id: id,
            kind: .chat,
            tenant: .default,
            priority: priority,
            conversationID: conversation,
            payload: try JSON.text(payload)
        )
        _ = try await (queue ?? self.queue()).submit(job) { connection in
            try Conversations(connection).ensure(conversation, of: .default, title: "T", agent: .default)
        } attach: { _ in
        }
        return id
    }

    /// Submits a workflow of messages, each in a conversation of its name.
    @discardableResult
    func submitWorkflow(
        _ texts: [String],
        continuesOnFailure: Bool = false,
        id: JobID = JobID(),
        on queue: JobQueue? = nil
    ) async throws -> JobID {
        let messages = texts.map { text in
            ChatPayload(
                text: text,
                conversationID: ConversationID(rawValue: "in \(text)"),
                userMessageID: MessageID(rawValue: "\(id).\(text).user"),
                answerID: MessageID(rawValue: "\(id).\(text).answer")
            )
        }
        let payload = WorkflowPayload(messages: messages, continuesOnFailure: continuesOnFailure)
        let job = NewJob(id: id, kind: .workflow, tenant: .default, payload: try JSON.text(payload))
        _ = try await (queue ?? self.queue()).submit(job, attach: { _ in })
        return id
    }

    /// The jobs of a parent in the order in which it made them.
    func children(of id: JobID) async throws -> [Job] {
        try await self.database.read { try Ledger($0).children(of: id) }
    }

    func job(_ id: JobID) async throws -> Job {
        guard let job = try await self.database.read({ try Ledger($0).job(id) }) else {
            throw NotInTime(description: "there is no job \(id)")
        }
        return job
    }

    /// The job once it is in `state`, and its end is told if that is one.
    @discardableResult
    func job(_ id: JobID, is state: JobState, within limit: Duration = .seconds(60)) async throws -> Job {
        try await eventually(within: limit, "\(id) is \(state)") {
            let job = try await self.job(id)
            return job.state == state && (job.announced || !state.isTerminal)
        }
        return try await self.job(id)
    }

    func reply(_ id: JobID) async throws -> ChatReply {
        try JSON.decode(ChatReply.self, from: try await self.job(id).result ?? "{}")
    }

    func messages(_ conversation: ConversationID) async throws -> [Message] {
        try await self.database.read { connection in
            try Conversations(connection).messages(of: conversation, of: .default, last: 1000)
        }
    }

    /// `role: content` of a conversation's messages in order.
    func dialog(_ conversation: ConversationID) async throws -> [String] {
        try await self.messages(conversation).map { "\($0.role): \($0.content)" }
    }

    /// A job's whole log.
    func frames(_ id: JobID) async throws -> [EventFrame] {
        try await self.log.entries(of: id, after: .zero, limit: 10_000).map { entry in
            EventFrame(id: entry.id, type: entry.type, bytes: Array(buffer: entry.bytes))
        }
    }

    func types(_ id: JobID) async throws -> [EventType] { try await self.frames(id).map(\.type) }

    /// The text of a job's tokens, or of its reasoning.
    func text(_ id: JobID, of type: EventType = .token) async throws -> String {
        struct Piece: Decodable {
            let token: String
        }
        return try await self.frames(id).filter { $0.type == type }.map { try $0.data(as: Piece.self).token }.joined()
    }

    func consumers() async throws -> Int {
        let reply = try await self.redis.send(RedisCommand("XINFO", "CONSUMERS", "t:jobs:default", "workers"))
        return reply.array?.count ?? -1
    }

    func workers() async throws -> [WorkerID] {
        try await self.database.read { try Workers($0).live(within: .seconds(3600)).map(\.id) }
    }

    // MARK: Workers

    /// Runs a worker, with a dispatcher and a reaper as its process has them, around `body`, and ends it at once.
    func withWorker<Result>(
        slots: Int = 4,
        timeLimit: Duration = .seconds(60),
        grace: Duration = .seconds(20),
        reaps: Bool = true,
        handlers: [JobKind: any JobHandler]? = nil,
        _ body: (RunningWorker) async throws -> Result
    ) async throws -> Result {
        let queue = self.queue()
        let blocking = RedisClient(self.address, name: "test-worker", logger: quietLogger)
        let chat = ChatHandler(
            database: self.database,
            engine: Engine(provider: self.model, retries: self.configuration.retries),
            catalogue: try Self.catalogue(),
            timeLimit: timeLimit
        )
        let worker = JobWorker(
            slots: slots,
            queue: queue,
            handlers: handlers ?? [.chat: chat, .workflow: WorkflowHandler(), .noop: NoopHandler()],
            blocking: blocking,
            subscriber: self.subscriber,
            grace: grace,
            logger: quietLogger
        )
        // A worker that was told to drain ends by itself.
        let service = ServiceGroupConfiguration.ServiceConfiguration(
            service: WorkerService(worker: worker),
            successTerminationBehavior: .gracefullyShutdownGroup
        )
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [service], logger: quietLogger))
        // Awaited below.
        let running = Task { try await group.run() }
        async let _ = blocking.run()
        async let _ = queue.dispatcher.run()
        async let _ = reaps ? Reaper(queue: queue, logger: quietLogger).run() : ()
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await body(RunningWorker(worker: worker, queue: queue, group: group, task: running)))
        } catch {
            outcome = .failure(error)
        }
        running.cancel()
        // Cancelled, so whatever it throws is that.
        _ = await running.result
        await blocking.close()
        return try outcome.get()
    }

    private static func catalogue() throws -> ModelCatalogue {
        let model = ModelConfiguration(
            id: "scripted",
            model: "scripted",
            provider: "test",
            wireFormat: .openAI,
            apiBase: "http://127.0.0.1:9",
            promptPrice: 1,
            completionPrice: 2
        )
        return try ModelCatalogue(configurations: [model], environment: [:])
    }
}

/// A worker at work.
struct RunningWorker: Sendable {
    let worker: JobWorker
    let queue: JobQueue
    let group: ServiceGroup
    let task: Task<Void, any Error>

    /// Tells it to stop, as SIGTERM does, and waits until it has.
    func drain() async throws {
        await self.group.triggerGracefulShutdown()
        try await self.task.value
    }
}

private struct WorkerService: Service {
    let worker: JobWorker

    func run() async throws { try await self.worker.run() }
}

/// Gives `body` everything that workers need, fresh; times are short where tests wait for them.
func withWorkBench<Result>(
    _ configure: (inout QueueConfiguration) -> Void = { _ in },
    _ body: (WorkBench) async throws -> Result
) async throws -> Result {
    var configuration = QueueConfiguration()
    configuration.reapInterval = .milliseconds(100)
    configuration.heartbeat = .milliseconds(100)
    configuration.retries = RetryPolicy(attemptsMax: 2, base: .milliseconds(1))
    configure(&configuration)
    return try await withTemporaryDirectory { folder in
        try await withRedis(appendOnly: true) { server in
            var address = try RedisConfiguration(url: server.url)
            address.commandTimeout = .seconds(30)
            let redis = RedisClient(address, name: "test", logger: quietLogger)
            let subscriber = RedisSubscriber(address, name: "test", logger: quietLogger)
            async let running: Void = redis.run()
            async let subscribing: Void = subscriber.run()
            let file = folder.appendingPathComponent("test.db")
            let database = try SQLiteDatabase(file: file)
            let bench = WorkBench(
                server: server,
                redis: redis,
                subscriber: subscriber,
                address: address,
                database: database,
                file: file,
                log: EventLog(redis: redis, keys: EventKeys(prefix: "t:"), eventsMax: 50_000),
                model: ScriptedModel(),
                configuration: configuration
            )
            let outcome: Swift.Result<Result, any Error>
            do {
                try await bench.queue().streams.createGroups()
                outcome = .success(try await body(bench))
            } catch {
                outcome = .failure(error)
            }
            await redis.close()
            await subscriber.close()
            try await running
            try await subscribing
            try database.close()
            return try outcome.get()
        }
    }
}
