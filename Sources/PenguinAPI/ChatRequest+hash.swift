import Crypto
import Domain
import Foundation

extension ChatRequest {
    /// SHA-256 in hexadecimal over everything the request says but its idempotency key.
    ///
    /// Over the values and not over the bytes: the order of fields, blanks, and defaults that are written out make no
    /// other request. Kept in the ledger for a day: a new field goes in only where it is not at its default.
    func bodyHash() throws -> String {
        var values: [String: JSONValue] = [
            "text": .string(self.text), "agent_id": .string(self.agentID), "streaming": .bool(self.streaming),
            "include_reasoning": .bool(self.includeReasoning), "priority": .string(self.priority.name),
        ]
        values["conversation_id"] = self.conversationID.map(JSONValue.string)
        values["context"] = self.context.map(JSONValue.object)
        values["max_iterations"] = self.maxIterations.map { .integer(Int64($0)) }
        values["model"] = self.model.map(JSONValue.string)
        values["delay_ms"] = self.delay.map { .integer($0.milliseconds) }
        values["run_at"] = self.runAt.map { .string($0.description) }
        return SHA256.hash(data: try JSON.encode(values))
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            .joined()
    }
}
