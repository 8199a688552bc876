package import Foundation

/// A fresh, empty folder with a short path, as unix sockets need it; the caller removes it.
package func makeTemporaryDirectory() throws -> URL {
    // sockaddr_un has room for 107 bytes, so a long TMPDIR is not used.
    let usual = FileManager.default.temporaryDirectory
    let parent = usual.path.utf8.count <= 60 ? usual : URL(fileURLWithPath: "/tmp", isDirectory: true)
    let name = "penguin-" + UUID().uuidString.prefix(13)
    let url = parent.appendingPathComponent(name, isDirectory: true)
    try FileManager.default.createDirectory(
        at: url,
        withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700]
    )
    return url
}

/// Gives `body` a fresh folder and removes it afterwards, whatever happens.
package func withTemporaryDirectory<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let url = try makeTemporaryDirectory()
    do {
        let result = try await body(url)
        try FileManager.default.removeItem(at: url)
        return result
    } catch {
        // The body's error is the one to see; an already missing folder is no news.
        try? FileManager.default.removeItem(at: url)
        throw error
    }
}
