import ArgumentParser
import Foundation
import TestSupport

/// Runs scenarios one after the other on a rig of their own, and takes everything down whatever happens.
struct ScenarioRunner: Sendable {
    let bench: String
    let effort: Effort

    /// Throws only when the rig cannot be built or somebody interrupts (exit code 130).
    func run(_ scenarios: [any Scenario]) async throws -> Report {
        let begun = Date()
        let started = Moment.now
        let directory = try makeTemporaryDirectory()
        let rig = Rig(effort: self.effort, directory: directory)
        let result: Result<[Report.Part], any Error>
        do {
            result = .success(try await Self.interruptible { try await self.parts(scenarios, on: rig) })
        } catch {
            result = .failure(error)
        }
        // The group above has ended, so this is not cancelled and children get the time to stop.
        await rig.stop()
        try FileManager.default.removeItem(at: directory)
        return Report(
            bench: self.bench,
            effort: self.effort,
            begun: begun,
            seconds: Moment.now.seconds(since: started),
            parts: try result.get()
        )
    }

    private func parts(_ scenarios: [any Scenario], on rig: Rig) async throws -> [Report.Part] {
        var parts: [Report.Part] = []
        for scenario in scenarios {
            let name = type(of: scenario).name
            Progress.say("\(name) …")
            do {
                parts.append(Report.Part(name: name, figures: try await scenario.run(on: rig), failure: nil))
            } catch {
                try Task.checkCancellation()
                let failure = await rig.explain(error)
                Progress.say("\(name) failed: \(failure)")
                parts.append(Report.Part(name: name, figures: [], failure: failure))
            }
        }
        return parts
    }

    /// Runs the body until it ends or SIGINT or SIGTERM comes, which throws `ExitCode(130)`.
    private static func interruptible<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
        try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                await TerminationSignal.wait()
                return nil
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() ?? nil else { throw ExitCode(130) }
            return result
        }
    }
}
