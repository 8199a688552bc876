/// What a process had in use at the end.
package struct MemorySample: Sendable, Equatable {
    package var process: String
    package var residentBytes: Int

    package init(process: String, residentBytes: Int) {
        self.process = process
        self.residentBytes = residentBytes
    }
}
