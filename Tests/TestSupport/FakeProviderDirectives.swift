import NIOCore

/// What a prompt tells the fake provider to do; see `FakeProvider` for the words.
struct FakeProviderDirectives: Sendable, Equatable {
    /// What the text of the answer is.
    enum Text: Sendable, Equatable {
        case tokens
        case said(String)
        case echo
        case history
    }

    /// What goes wrong.
    enum Fault: Sendable, Equatable {
        case status(Int)
        case contextTooLong
        case drop
        case cut(after: Int)
        case hangBeforeHead
        case hang(after: Int)
        case garbage(after: Int)
        case errorObject(after: Int)
    }

    /// Which tokens tell the time.
    enum Stamp: Sendable, Equatable {
        case none
        case first
        case all
    }

    struct Tool: Sendable, Equatable {
        var name: String
        var arguments: String
    }

    var text = Text.tokens
    var tokens = 10
    var size = 0
    var delay = TimeAmount.zero
    var first = TimeAmount.zero
    var batch: Int?
    var reasoning = 0
    var reasoningField = "reasoning"
    var stamp = Stamp.none
    var tools: [Tool] = []
    var together = false
    var usage = true
    var cost: String?
    var finish: String?
    var sendsDone = true
    var crlf = false
    var comments = false
    var split: Int?
    var json = false
    var fault: Fault?
    var faultStatus = 502
    var retryAfter: String?
    var html = false
    var echoKey = false
    var times = Int.max
    var marker: String?

    /// Reads the groups in double brackets out of a message; what it does not know is passed over.
    init(in message: String) {
        var rest = message[...]
        while let open = rest.firstRange(of: "[[") {
            rest = rest[open.upperBound...]
            if rest.hasPrefix("tool=") {
                rest = self.readTool(rest.dropFirst("tool=".count))
                continue
            }
            guard let close = rest.firstRange(of: "]]") else { return }
            let group = rest[..<close.lowerBound]
            rest = rest[close.upperBound...]
            if group.hasPrefix("say=") {
                self.text = .said(String(group.dropFirst("say=".count)))
            } else {
                for word in group.split(separator: " ") { self.read(word) }
            }
        }
    }

    /// Reads `name {json}`; the arguments end with the brackets that follow a closing brace.
    private mutating func readTool(_ text: Substring) -> Substring {
        let hasArguments = text.prefix { $0 != "]" }.contains("{")
        guard let close = text.firstRange(of: hasArguments ? "}]]" : "]]") else { return "" }
        let group = text[..<(hasArguments ? text.index(after: close.lowerBound) : close.lowerBound)]
        let name = group.prefix { $0 != " " && $0 != "{" }
        let arguments = group.dropFirst(name.count).drop { $0 == " " }
        self.tools.append(Tool(name: String(name), arguments: arguments.isEmpty ? "{}" : String(arguments)))
        return text[close.upperBound...]
    }

    private mutating func read(_ word: Substring) {
        let parts = word.split(separator: "=", maxSplits: 1)
        guard let key = parts.first else { return }
        let value = parts.count > 1 ? parts[1] : ""
        let number = Int(value)
        switch key {
        case "tokens": self.tokens = number ?? self.tokens
        case "size": self.size = number ?? self.size
        case "delay": self.delay = Self.time(value) ?? self.delay
        case "first": self.first = Self.time(value) ?? self.first
        case "batch": self.batch = number.map { max(1, $0) }
        case "reasoning": self.reasoning = number ?? self.reasoning
        case "field": self.reasoningField = String(value)
        case "echo": self.text = .echo
        case "history": self.text = .history
        case "stamp": self.stamp = value == "all" ? .all : .first
        case "together": self.together = true
        case "usage": self.usage = value != "off"
        case "cost": self.cost = String(value)
        case "finish": self.finish = String(value)
        case "nodone": self.sendsDone = false
        case "crlf": self.crlf = true
        case "comments": self.comments = true
        case "split": self.split = number.map { max(1, $0) }
        case "json": self.json = true
        default: self.readFault(key, value, number)
        }
    }

    private mutating func readFault(_ key: Substring, _ value: Substring, _ number: Int?) {
        switch key {
        case "error": self.fault = value == "context" ? .contextTooLong : .status(number ?? 500)
        case "drop": self.fault = .drop
        case "cut": self.fault = .cut(after: number ?? 0)
        case "hang": self.fault = number.map(Fault.hang(after:)) ?? .hangBeforeHead
        case "garbage": self.fault = .garbage(after: number ?? 0)
        case "fail": self.fault = .errorObject(after: number ?? 0)
        case "status": self.faultStatus = number ?? self.faultStatus
        case "retry_after": self.retryAfter = String(value)
        case "html": self.html = true
        case "echo_key": self.echoKey = true
        case "times": self.times = number ?? self.times
        case "id": self.marker = String(value)
        default: break
        }
    }

    /// `250us`, `10ms`, `1s`; a bare number is milliseconds.
    private static func time(_ text: Substring) -> TimeAmount? {
        let number = text.prefix { $0.isNumber }
        guard let value = Int64(number) else { return nil }
        switch text.dropFirst(number.count) {
        case "us": return .microseconds(value)
        case "s": return .seconds(value)
        default: return .milliseconds(value)
        }
    }
}
