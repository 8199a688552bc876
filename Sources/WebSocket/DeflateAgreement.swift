/// The permessage-deflate parameters both ends agreed on.
///
/// RFC 7692, section 7.1.
/// Context takeover is always off in both directions, so that no socket keeps a window.
struct DeflateAgreement: Equatable {
    static let name = "permessage-deflate"
    /// What our client offers.
    static let clientOffer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    /// Window of what this end sends, 9 to 15 bits.
    let windowBits: Int
    /// Whether the window was asked for, so that the answer has to name it.
    private let isWindowNamed: Bool

    /// The server's answer to the client's offers: the first one it can keep, nil when there is none.
    init?(answering header: String) {
        let offers = ExtensionOffer.parse(header).lazy.filter { $0.name == Self.name }
        guard let agreement = offers.compactMap(DeflateAgreement.init(offer:)).first else { return nil }
        self = agreement
    }

    /// The client's reading of the server's answer; nil when it breaks what was offered.
    init?(answer header: String) {
        let answers = ExtensionOffer.parse(header)
        guard let answer = answers.first, answers.count == 1, answer.name == Self.name,
            let values = Self.values(of: answer),
            values["server_no_context_takeover"] == .some(nil), values["client_max_window_bits"] == nil
        else { return nil }
        // server_max_window_bits needs no notice: the inflater has the largest window anyway.
        self.windowBits = 15
        self.isWindowNamed = false
    }

    /// What the server writes into its `Sec-WebSocket-Extensions` header.
    var answer: String {
        let parameters = "; server_no_context_takeover; client_no_context_takeover"
        return Self.name + parameters + (self.isWindowNamed ? "; server_max_window_bits=\(self.windowBits)" : "")
    }

    private init?(offer: ExtensionOffer) {
        guard let values = Self.values(of: offer) else { return nil }
        guard case .some(.some(let text)) = values["server_max_window_bits"] else {
            self.windowBits = 15
            self.isWindowNamed = false
            return
        }
        // zlib cannot make a raw stream with a window of 8 bits: such an offer is declined.
        guard let bits = Int(text), bits >= 9 else { return nil }
        self.windowBits = bits
        self.isWindowNamed = true
    }

    /// The parameters by name; nil when one is unknown, repeated or has a value it may not have.
    private static func values(of offer: ExtensionOffer) -> [String: String?]? {
        var values: [String: String?] = [:]
        for parameter in offer.parameters {
            guard values[parameter.name] == nil, self.isValid(parameter) else { return nil }
            values.updateValue(parameter.value, forKey: parameter.name)
        }
        return values
    }

    private static func isValid(_ parameter: ExtensionOffer.Parameter) -> Bool {
        let windows = ["8", "9", "10", "11", "12", "13", "14", "15"]
        return switch parameter.name {
        case "server_no_context_takeover", "client_no_context_takeover": parameter.value == nil
        case "client_max_window_bits": parameter.value.map(windows.contains) ?? true
        case "server_max_window_bits": parameter.value.map(windows.contains) ?? false
        default: false
        }
    }
}
