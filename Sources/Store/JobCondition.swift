import Domain

/// A tenant's jobs that pass a filter, as the end of a query: the text after `WHERE`, its arguments, and an order.
///
/// The text is made so that the index of the few jobs is taken and not the one of all that the tenant ever had: a partial
/// index is taken only when its own condition stands in the query word for word, and one that gives the order
/// unasked is taken though it has far more entries, unless the column stands in an expression.
struct JobCondition {
    private(set) var text: String
    private(set) var arguments: [SQLValue]
    /// The id, to be followed by the direction.
    let order: String

    init(_ filter: JobFilter, of tenant: TenantID) {
        let isOpen = !filter.states.isEmpty && filter.states.allSatisfy { !$0.isTerminal }
        self.order = isOpen || filter.parentID != nil ? "id || ''" : "id"
        self.text = filter.parentID == nil ? "tenant = $1" : "tenant || '' = $1"
        self.arguments = [SQLValue(tenant)]
        self.add(filter.states)
        if let kind = filter.kind { self.add("kind =", SQLValue(kind)) }
        if let conversation = filter.conversationID { self.add("conversation_id =", SQLValue(conversation)) }
        if let agent = filter.agentID { self.add("agent_id =", SQLValue(agent)) }
        if let parent = filter.parentID { self.add("parent_id =", SQLValue(parent)) }
    }

    /// Only the jobs that were accepted before that one.
    mutating func add(before id: JobID?) {
        if let id { self.add("\(self.order) <", SQLValue(id)) }
    }

    /// A bound on the number of rows, to stand after the order.
    mutating func limit(_ count: Int) -> String {
        self.arguments.append(SQLValue(count))
        return "LIMIT $\(self.arguments.count)"
    }

    private mutating func add(_ comparison: String, _ value: SQLValue) {
        self.arguments.append(value)
        self.text += " AND \(comparison) $\(self.arguments.count)"
    }

    private mutating func add(_ states: Set<JobState>) {
        guard !states.isEmpty, states.count < JobState.allCases.count else { return }
        if states.isSubset(of: Self.retriable) {
            self.text += " AND \(Self.isIn(Self.retriable))"
        } else if states.allSatisfy(\.isTerminal) {
            self.text += " AND finished_at IS NOT NULL"
        } else if states.allSatisfy({ !$0.isTerminal }) {
            self.text += " AND finished_at IS NULL"
        }
        if states != Self.retriable { self.text += " AND \(Self.isIn(states))" }
    }

    private static let retriable: Set<JobState> = [.failed, .dead]

    /// In the order of their declaration, so that equal sets give equal texts.
    private static func isIn(_ states: Set<JobState>) -> String {
        let names = JobState.allCases.filter(states.contains).map { "'\($0.rawValue)'" }
        return "state IN (\(names.joined(separator: ", ")))"
    }
}
