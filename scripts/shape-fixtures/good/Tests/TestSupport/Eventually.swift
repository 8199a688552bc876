import Foundation

/// Waits until a fact holds, or the deadline has passed.
package func eventually(within limit: Duration, _ fact: () async -> Bool) async throws {
    while await !fact() {
        try await Task.sleep(for: .milliseconds(5))
    }
}
