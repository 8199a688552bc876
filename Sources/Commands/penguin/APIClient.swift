import Domain
import Foundation
import HTTPClient

/// Asks Penguin's HTTP API; what the server refuses becomes a `CommandFailure` with the server's sentence.
struct APIClient: Sendable {
    private static let bodyBytesMax = 256 << 20

    let address: String
    let key: String?
    private let http = HTTPClient()

    init(address: String, key: String?) {
        self.address = address
        self.key = key
    }

    func get(_ path: String, _ query: [(name: String, value: String)] = []) async throws -> Data {
        try await self.ask(.get, path + Self.text(of: query))
    }

    func post(_ path: String, _ body: [String: JSONValue] = [:]) async throws -> Data {
        try await self.ask(.post, path, body)
    }

    func patch(_ path: String, _ body: [String: JSONValue]) async throws -> Data {
        try await self.ask(.patch, path, body)
    }

    /// A stream of events from the one after `cursor`; nil when there is none after it.
    func events(_ path: String, after cursor: String?) async throws -> OutboundBody? {
        let headers = cursor.map { [("Last-Event-ID", $0)] } ?? []
        let response = try await self.send(.get, path, nil, headers: headers)
        return response.status == 204 ? nil : response.body
    }

    private func ask(
        _ method: OutboundRequest.Method,
        _ path: String,
        _ body: [String: JSONValue]? = nil
    ) async throws -> Data {
        Data(try await self.collect(try await self.send(method, path, body)))
    }

    private func send(
        _ method: OutboundRequest.Method,
        _ path: String,
        _ body: [String: JSONValue]?,
        headers: [(String, String)] = []
    ) async throws -> OutboundResponse {
        var fields = headers.map { (name: $0.0, value: $0.1) }
        if let key { fields.append(("X-API-Key", key)) }
        if body != nil { fields.append(("Content-Type", "application/json")) }
        let bytes = try body.map { Array(try JSON.encode($0)) } ?? []
        let request = OutboundRequest(method, self.address + "/api/v1" + path, headers: fields, body: bytes)
        let response: OutboundResponse
        do {
            response = try await self.http.send(request)
        } catch {
            throw CommandFailure(message: "cannot talk to \(self.address): \(error.message)")
        }
        guard response.status >= 400 else { return response }
        throw CommandFailure(message: Self.refusal(response.status, try await self.collect(response)))
    }

    private func collect(_ response: OutboundResponse) async throws -> [UInt8] {
        do {
            return try await response.body.collect(upTo: Self.bodyBytesMax)
        } catch {
            throw CommandFailure(message: "the answer of \(self.address) broke off: \(error.message)")
        }
    }

    /// The server's sentence, and what is wrong with each value if it says so.
    private static func refusal(_ status: Int, _ body: [UInt8]) -> String {
        let answer = try? JSON.decode(JSONValue.self, from: Data(body))
        guard let message = answer?["error"]?["message"]?.string else { return "the server answered with \(status)" }
        guard case .array(let problems)? = answer?["detail"] else { return message }
        let details = problems.compactMap { problem -> String? in
            guard case .array(let place)? = problem["loc"], let text = problem["msg"]?.string else { return nil }
            return "\(place.last?.string ?? ""): \(text)"
        }
        return ([message] + details).joined(separator: " ")
    }

    private static func text(of query: [(name: String, value: String)]) -> String {
        guard !query.isEmpty else { return "" }
        return "?" + query.map { "\($0.name)=\($0.value.percentEncoded)" }.joined(separator: "&")
    }
}

extension String {
    /// With everything encoded that means something in a path or a query.
    var percentEncoded: String {
        let plain = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:")
        return self.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }
}
