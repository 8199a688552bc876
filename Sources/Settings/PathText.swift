import Foundation

/// Paths as people write them in settings.
enum PathText {
    /// An absolute file URL: `~` and `~/` become `HOME`, a relative path starts at the working directory.
    ///
    /// Nil for a tilde without an absolute `HOME`, and for `~name`, which would need the user database.
    static func url(_ text: String, environment: [String: String]) -> URL? {
        guard text.hasPrefix("~") else {
            return text.isEmpty ? nil : URL(filePath: text).absoluteURL.standardizedFileURL
        }
        guard text == "~" || text.hasPrefix("~/"), let home = environment["HOME"], home.hasPrefix("/") else {
            return nil
        }
        return URL(filePath: home + text.dropFirst()).standardizedFileURL
    }
}
