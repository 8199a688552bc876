import Domain
import Hummingbird
import PenguinAPI

/// Reads query parameters; what is wrong with one is a 400 that names it.
struct QueryReader {
    let request: Request

    func string(_ name: String) -> String? {
        self.request.uri.queryParameters[Substring(name)].map(String.init)
    }

    /// Every value of a parameter that is given several times.
    func strings(_ name: String) -> [String] {
        self.request.uri.queryParameters[values: Substring(name)].map(String.init)
    }

    func integer(_ name: String, default standard: Int, in range: ClosedRange<Int>) throws -> Int {
        guard let text = self.string(name) else { return standard }
        guard let value = Int(text), range.contains(value) else {
            throw Self.refusal(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func bool(_ name: String, default standard: Bool) throws -> Bool {
        switch self.string(name)?.lowercased() {
        case nil: standard
        case "true", "1": true
        case "false", "0": false
        default: throw Self.refusal(name, "must be true or false")
        }
    }

    static func refusal(_ name: String, _ message: String) -> RequestError {
        RequestError(status: .badRequest, code: "bad_parameter", message: "The parameter '\(name)' \(message).")
    }
}
