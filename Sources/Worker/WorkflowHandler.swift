import Domain
import Engine
import Events
package import Queue
import Store

/// Runs `workflow` jobs: submits their messages as children, waits for them, and gathers what became of them.
///
/// The first attempt ends in waiting, and the last one, when every child has ended, in the result. An attempt between
/// them, after a crash, finds the children by their ids.
package struct WorkflowHandler: JobHandler {
    package init() {}

    package var isStreaming: Bool { true }

    package func run(_ lease: Lease, in context: RunContext) async throws -> JobOutcome {
        if context.control.interruption == .cancelled {
            return .ended(Ending(state: .cancelled, stopReason: .cancelled))
        }
        let payload = try JSON.decode(WorkflowPayload.self, from: lease.job.payload)
        let children = try await context.queue.children(of: lease.id)
        guard children.count == payload.messages.count, children.allSatisfy(\.state.isTerminal) else {
            return try self.begin(payload, lease, context)
        }
        let results = children.map(WorkflowReply.ChildResult.init)
        for (index, child) in children.enumerated() {
            context.writer.add(EventData.Child(jobID: lease.id, child: child, index: index), as: .child)
        }
        let policy: ChildFailurePolicy = payload.continuesOnFailure ? .continue : .failParent
        if policy == .failParent, let failed = children.first(where: { $0.state != .completed }) {
            return .ended(Ending(state: .failed, failure: .child(failed), stopReason: .childFailed))
        }
        let reply = WorkflowReply(jobID: lease.id, results: results)
        return .ended(
            Ending(state: .completed, result: try JSON.text(reply), stopReason: .finalAnswer)
        )
    }

    private func begin(_ payload: WorkflowPayload, _ lease: Lease, _ context: RunContext) throws -> JobOutcome {
        let tenant = lease.job.tenant
        let children = try payload.messages.enumerated().map { index, message in
            NewJob(
                id: .child(of: lease.id, step: 0, index: index),
                kind: .chat,
                tenant: tenant,
                priority: lease.job.priority,
                conversationID: message.conversationID,
                agentID: message.agentID,
                parent: .init(id: lease.id, step: 0, index: index),
                payload: try JSON.text(message)
            )
        }
        let policy: ChildFailurePolicy = payload.continuesOnFailure ? .continue : .failParent
        return .waiting(children, policy) { connection in
            let conversations = Conversations(connection)
            for message in payload.messages {
                let title = String(message.text.prefix(60))
                try conversations.ensure(message.conversationID, of: tenant, title: title, agent: message.agentID)
            }
        }
    }
}

extension JobFailure {
    /// Of a workflow that fails with one of its children.
    fileprivate static func child(_ job: Job) -> JobFailure {
        let reason = job.failure.map { ": \($0.message)" } ?? "."
        return JobFailure(
            code: "child_failed",
            message: "The job \(job.id) of this workflow ended as \(job.state.rawValue)\(reason)",
            retryable: false
        )
    }
}
