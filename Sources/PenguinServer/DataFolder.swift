import Foundation

/// The folder with the database and the embedded Redis' data, private to its owner and held by one process at a time.
final class DataFolder: Sendable {
    let url: URL
    private let lock: Int32

    /// Makes the folder if need be and takes it; throws when another process has it.
    init(_ url: URL) throws {
        self.url = url
        try Self.make(url)
        let path = url.appending(path: "penguin.lock").path
        self.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard self.lock >= 0 else { throw ServerError("Cannot write \(path): \(String(cString: strerror(errno))).") }
        guard flock(self.lock, LOCK_EX | LOCK_NB) == 0 else {
            close(self.lock)
            throw ServerError(
                """
                Another Penguin uses the data folder \(url.path). Stop it, or give this one another folder: \
                PENGUIN_HOME=… (and another PORT).
                """
            )
        }
    }

    deinit {
        close(self.lock)
    }

    /// Makes a folder that only its owner can read.
    static func make(_ url: URL) throws {
        do {
            try FileManager.default.createDirectory(
                at: url,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw ServerError("Cannot make the data folder \(url.path): \(error.localizedDescription)")
        }
    }
}
