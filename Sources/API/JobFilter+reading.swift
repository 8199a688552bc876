import Domain
import PenguinAPI

extension QueryReader {
    /// `state` (one, several with commas, or given several times), `kind`, `conversation_id`, `agent_id`, `parent_id`.
    func jobFilter() throws -> JobFilter {
        JobFilter(
            states: Set(try self.choices("state", of: JobState.allCases)),
            kind: try self.choices("kind", of: JobKind.allCases, atMost: 1).first,
            conversationID: self.string("conversation_id").map(ConversationID.init(rawValue:)),
            agentID: self.string("agent_id").map(AgentID.init(rawValue:)),
            parentID: try self.jobID("parent_id", "must be the id of a job")
        )
    }

    /// A job's id; nil when the parameter is not given.
    func jobID(_ name: String, _ message: String) throws -> JobID? {
        guard let text = self.string(name) else { return nil }
        guard text.hasPrefix(JobSubject.prefix), let id = JobID(validating: text) else {
            throw Self.refusal(name, message)
        }
        return id
    }

    private func choices<Choice: RawRepresentable<String>>(
        _ name: String,
        of all: [Choice],
        atMost countMax: Int = .max
    ) throws -> [Choice] {
        let texts = self.strings(name).flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let choices = texts.compactMap { Choice(rawValue: String($0)) }
        guard choices.count == texts.count, choices.count <= countMax else {
            throw Self.refusal(name, "must be one of \(all.map(\.rawValue).joined(separator: ", "))")
        }
        return choices
    }
}

extension FieldReader {
    /// `{state?, kind?, conversation_id?, agent_id?}` of jobs that can be tried once more.
    mutating func retryFilter() -> JobFilter {
        let states: [JobState] = [.failed, .dead]
        let state = self.choice("state", of: states.map(\.rawValue)) { text in
            states.first { $0.rawValue == text }
        }
        let kind = self.choice("kind", of: JobKind.allCases.map(\.rawValue), JobKind.init(rawValue:))
        return JobFilter(
            states: state.map { [$0] } ?? [],
            kind: kind,
            conversationID: self.string("conversation_id").map(ConversationID.init(rawValue:)),
            agentID: self.string("agent_id").map(AgentID.init(rawValue:))
        )
    }
}
