import Domain
import TestSupport

/// What the program `penguin` came to.
struct ClientRun: Sendable {
    let code: Int32
    let output: String
    let errors: String

    /// The output as JSON, one value on each line.
    var json: [JSONValue] {
        get throws {
            try self.output.split(separator: "\n").map { try JSON.decode(JSONValue.self, from: String($0)) }
        }
    }
}

extension Fleet {
    /// Starts `penguin` with arguments, for the server and under its key.
    func startClient(_ arguments: [String], of web: WebServer) async throws -> PenguinProcess {
        var variables = ["PENGUIN_URL": "http://127.0.0.1:\(web.port)"]
        if let key = web.key { variables["PENGUIN_API_KEY"] = key }
        return try await self.launch(.client, arguments, variables: variables)
    }

    /// Runs `penguin` to its end.
    func client(_ arguments: String..., of web: WebServer) async throws -> ClientRun {
        let process = try await self.startClient(arguments, of: web)
        let code = try await process.waitForExit(within: .seconds(60))
        return ClientRun(code: code, output: process.output, errors: process.errors)
    }
}
