package import Domain
package import LLM

/// Where a run's events go.
///
/// Calls return at once unless far too much is unsent.
package protocol EventSink: Sendable {
    /// An iteration begins.
    func iteration(_ number: Int, of max: Int) async
    /// A piece of the answer.
    func text(_ text: String) async
    /// A piece of the reasoning.
    func reasoning(_ text: String) async
    /// The text of this iteration does not count: the model is asked again.
    func truncateIteration() async
    /// A tool call begins.
    func actionBegins(_ call: ToolCall) async
    /// A tool call has ended.
    func actionEnds(_ result: ActionResult) async
    /// Waits, within reason, until everything is in the log; returns the last event that is.
    func flush() async -> EventID
}

/// The memory of a run across attempts.
package protocol Journal: Sendable {
    /// Writes a step, or its newer state; throws when the lease is gone.
    func record(_ step: Step) async throws
}

/// What the model may do.
package protocol ToolBox: Sendable {
    /// The tools as the model is told of them.
    var tools: [ModelTool] { get }
    /// Runs a call; never throws: what goes wrong is told to the model.
    func run(_ call: ToolCall) async -> ActionResult
}

/// No tools: a model that calls one all the same is told so.
package struct NoTools: ToolBox {
    package let tools: [ModelTool] = []

    package init() {}

    package func run(_ call: ToolCall) async -> ActionResult {
        ActionResult(
            action: call.name,
            result: "There is no tool '\(call.name)'. No tools are available; answer in text.",
            status: .error,
            toolCallID: call.id
        )
    }
}
