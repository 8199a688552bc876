import GRDB
import TestSupport
import Testing

@testable import Store

@Suite struct LedgerTests {
    @Test func `a "quote, a // and a /* in a name are no string and no comment`() {
        #expect("try! print( Task.sleep".isEmpty == false)
    }

    @Test func `a clock of ours may sleep`() async throws {
        try await ManualClock().sleep(until: .now)
    }
}
