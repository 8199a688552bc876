import Foundation
import TestSupport

/// A disk of a test's own, small enough to be filled; only root can make one.
struct SmallDisk: Sendable {
    static var isPossible: Bool { geteuid() == 0 }

    let folder: URL

    /// Takes all the room that is left.
    func fill() async throws {
        // `dd` fails when the disk is full, which is the point.
        _ = try await Self.run("dd", "if=/dev/zero", "of=\(self.filler.path)", "bs=4096")
        _ = try await Self.run("dd", "if=/dev/zero", "of=\(self.filler.path).rest", "bs=1")
    }

    /// Gives the room back.
    func free() throws {
        for file in [self.filler.path, self.filler.path + ".rest"] { try FileManager.default.removeItem(atPath: file) }
    }

    private var filler: URL { self.folder.appendingPathComponent("filler") }

    /// Runs a program of the system to its end and returns its status.
    static func run(_ program: String, _ arguments: String...) async throws -> Int32 {
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("run-\(UUID().uuidString).log")
        // Nobody needs it, and a leftover harms nobody.
        defer { try? FileManager.default.removeItem(at: log) }
        let child = try await ChildProcess.start(program, arguments, log: log)
        try await eventually(within: .seconds(20), "\(program) has ended") { child.exitStatus != nil }
        return child.exitStatus ?? -1
    }
}

/// Gives `body` a disk of so many megabytes, and takes it away afterwards.
func withSmallDisk(megabytes: Int, _ body: (SmallDisk) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
        let disk = SmallDisk(folder: folder)
        guard try await SmallDisk.run("mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", folder.path) == 0
        else {
            throw NotInTime(description: "no disk can be mounted at \(folder.path)")
        }
        do {
            try await body(disk)
            _ = try await SmallDisk.run("umount", "--lazy", folder.path)
        } catch {
            // The body's error is the one to see.
            _ = try? await SmallDisk.run("umount", "--lazy", folder.path)
            throw error
        }
    }
}
