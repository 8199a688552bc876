import Foundation
import PenguinMetrics
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct ProcessFiguresTests {
    private static func figures() throws -> [String: Double] {
        let samples = try ProcessFigures().samples()
        return Dictionary(uniqueKeysWithValues: samples.map { ($0.name, $0.value) })
    }

    @Test func `the figures are plausible`() throws {
        let figures = try Self.figures()
        let (resident, virtual) = (figures["process_resident_memory_bytes"], figures["process_virtual_memory_bytes"])
        let (open, most) = (figures["process_open_fds"], figures["process_max_fds"])
        let started = try #require(figures["process_start_time_seconds"])
        #expect(try #require(resident) > 1_048_576)
        #expect(try #require(virtual) > #require(resident))
        #expect(try #require(open) >= 3)
        #expect(try #require(most) > #require(open))
        #expect(try #require(figures["process_threads"]) >= 1)
        #expect(try #require(figures["process_cpu_seconds_total"]) > 0)
        // The clock may have been set since the machine began, but not by a day.
        #expect(abs(Date().timeIntervalSince1970 - started) < 86_400)
        #expect(figures.count == 7)
    }

    @Test func `the figures follow what happens`() async throws {
        let before = try Self.figures()
        try await withTemporaryDirectory { folder in
            // Other tests open and close files too, but not so many.
            let handles = try (0..<200).map { number in
                let path = folder.appendingPathComponent("\(number)")
                try Data().write(to: path)
                return try FileHandle(forReadingFrom: path)
            }
            let during = try Self.figures()
            #expect(try #require(during["process_open_fds"]) >= #require(before["process_open_fds"]) + 100)
            for handle in handles { try handle.close() }
        }
        try await eventually("CPU time was used") {
            try #require(try Self.figures()["process_cpu_seconds_total"])
                > #require(before["process_cpu_seconds_total"])
        }
        #expect(try Self.figures()["process_start_time_seconds"] == before["process_start_time_seconds"])
    }
}
