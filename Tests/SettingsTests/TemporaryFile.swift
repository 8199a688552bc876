import Foundation

/// Runs `body` with a file of that text, which is gone afterwards.
func withFile<Result>(_ text: String, _ body: (URL) throws -> Result) throws -> Result {
    try withFile(Data(text.utf8), body)
}

func withFile<Result>(_ data: Data, _ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "penguin.yaml")
    try data.write(to: file)
    return try body(file)
}
