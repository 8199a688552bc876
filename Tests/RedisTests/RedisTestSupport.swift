import Logging
import NIOCore
import Redis
import TestSupport

let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Runs a client around `body` and closes it afterwards.
func withClient<Result>(
    _ configuration: RedisConfiguration,
    _ body: (RedisClient) async throws -> Result
) async throws -> Result {
    let client = RedisClient(configuration, name: "test", logger: quietLogger)
    async let running: Void = client.run()
    do {
        let result = try await body(client)
        await client.close()
        try await running
        return result
    } catch {
        await client.close()
        // The body's error is the one to see.
        try? await running
        throw error
    }
}

func withClient<Result>(url: String, _ body: (RedisClient) async throws -> Result) async throws -> Result {
    try await withClient(RedisConfiguration(url: url), body)
}

/// Runs a subscriber around `body` and closes it afterwards.
func withSubscriber<Result>(
    _ configuration: RedisConfiguration,
    _ body: (RedisSubscriber) async throws -> Result
) async throws -> Result {
    let subscriber = RedisSubscriber(configuration, name: "test", logger: quietLogger)
    async let running: Void = subscriber.run()
    do {
        let result = try await body(subscriber)
        await subscriber.close()
        try await running
        return result
    } catch {
        await subscriber.close()
        // The body's error is the one to see.
        try? await running
        throw error
    }
}

/// The error that `body` throws; a failure of the test when it throws none.
func redisError<Result>(_ body: () async throws(RedisError) -> Result) async -> RedisError? {
    do throws(RedisError) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

/// Asks until a command fails with a message that contains `words`: an early one may not know the reason yet.
func untilRefused(_ client: RedisClient, _ words: String) async throws -> RedisError {
    var last: RedisError?
    try await eventually(within: .seconds(20), "a command fails with '\(words)'") {
        last = await redisError { () async throws(RedisError) in
            try await client.send(RedisCommand("PING"), timeout: .milliseconds(100))
        }
        return last?.message.contains(words) ?? false
    }
    return last ?? RedisError(.protocolViolation, "no error")
}

func bulk(_ text: String) -> RedisValue { .bulk(ByteBuffer(string: text)) }
