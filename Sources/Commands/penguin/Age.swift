import Domain

extension Duration {
    /// Short, for people: `0.4s`, `12s`, `3m12s`, `5h02m`, `3d04h`.
    var short: String {
        let seconds = max(0, self.seconds)
        let tenths = Int((seconds * 10).rounded(.down))
        guard tenths >= 100 else { return "\(tenths / 10).\(tenths % 10)s" }
        let whole = tenths / 10
        switch whole {
        case ..<60: return "\(whole)s"
        case ..<3600: return "\(whole / 60)m" + Self.padded(whole % 60) + "s"
        case ..<86_400: return "\(whole / 3600)h" + Self.padded(whole / 60 % 60) + "m"
        default: return "\(whole / 86_400)d" + Self.padded(whole / 3600 % 24) + "h"
        }
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension Timestamp {
    /// How long ago it was, by this machine's clock.
    var age: Duration { Timestamp.now - self }
}
