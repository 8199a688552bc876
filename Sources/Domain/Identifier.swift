/// What an identifier names, and the prefix by which people recognise it.
public protocol IdentifierSubject: Sendable {
    /// The text before the UUID, underscore included.
    static var prefix: String { get }
}

/// The id of a job, conversation, message …: a type of its own for each, a string on the wire.
///
/// Ours are a prefix and a time-ordered UUIDv7 (`job_0193a…`, 32 hexadecimal digits). Clients may bring conversation
/// ids of their own if they match `^[A-Za-z0-9_.:-]{1,128}$`.
public struct Identifier<Subject: IdentifierSubject>: RawRepresentable, Hashable, Sendable {
    /// The id's text.
    public let rawValue: String

    /// Takes text that is known to be an id, from the ledger or from our own events.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// A new id, later in order than all made before it by this process.
    public init() {
        self.rawValue = Subject.prefix + UUIDv7Generator.shared.next()
    }

    /// Takes text from outside; nil unless it matches `^[A-Za-z0-9_.:-]{1,128}$`.
    public init?(validating text: String) {
        let allowed = text.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 58, 95: true
            default: false
            }
        }
        guard allowed, (1...128).contains(text.utf8.count) else { return nil }
        self.rawValue = text
    }
}

extension Identifier: Codable {
    /// Reads the text.
    public init(from decoder: any Decoder) throws {
        self.rawValue = try decoder.singleValueContainer().decode(String.self)
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.rawValue)
    }
}

extension Identifier: CustomStringConvertible, Comparable {
    /// The id's text.
    public var description: String { self.rawValue }

    /// By text, which for our ids is by time.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Names jobs.
public enum JobSubject: IdentifierSubject {
    /// The prefix `job_`.
    public static let prefix = "job_"
}

/// Names conversations.
public enum ConversationSubject: IdentifierSubject {
    /// The prefix `conv_`.
    public static let prefix = "conv_"
}

/// Names messages.
public enum MessageSubject: IdentifierSubject {
    /// The prefix `msg_`.
    public static let prefix = "msg_"
}

/// Names worker processes.
public enum WorkerSubject: IdentifierSubject {
    /// The prefix `worker_`.
    public static let prefix = "worker_"
}

/// Names agents; theirs match `^[a-z0-9_-]{1,64}$`.
public enum AgentSubject: IdentifierSubject {
    /// The prefix `agent_`.
    public static let prefix = "agent_"
}

/// Names tenants: whoever holds an API key.
///
/// Without keys there is one, `default`.
public enum TenantSubject: IdentifierSubject {
    /// The prefix `tenant_`.
    public static let prefix = "tenant_"
}

/// The id of a job.
public typealias JobID = Identifier<JobSubject>
/// The id of a conversation.
public typealias ConversationID = Identifier<ConversationSubject>
/// The id of a message.
public typealias MessageID = Identifier<MessageSubject>
/// The id of a worker process.
public typealias WorkerID = Identifier<WorkerSubject>
/// The id of an agent.
public typealias AgentID = Identifier<AgentSubject>
/// The id of a tenant.
public typealias TenantID = Identifier<TenantSubject>

extension AgentID {
    /// The agent that always exists.
    public static let `default` = AgentID(rawValue: "default")
}

extension TenantID {
    /// The only tenant when no API keys are configured.
    public static let `default` = TenantID(rawValue: "default")
}
