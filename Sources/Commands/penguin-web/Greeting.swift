import Domain
import Foundation

/// What a newcomer sees on the terminal.
struct Greeting {
    private static let usualPort = 8000

    let host: String
    let port: Int
    let needsKey: Bool

    func show() {
        let address = self.host.contains(":") ? "[\(self.host)]" : self.host
        let url = "http://\(address):\(self.port)"
        let key = self.needsKey ? " -H \"X-API-Key: $KEY\"" : ""
        print(
            """
            Penguin \(PenguinVersion.current) listens on \(url)

              curl -s \(url)/api/v1/chat/message\(key) \\
                -H 'content-type: application/json' -d '{"text":"hello"}'
              \(Self.client) chat "hello"\(self.port == Self.usualPort ? "" : " --url \(url)")

            """
        )
        fflush(nil)
    }

    /// How to call the client: it lies beside this program, which may not be on the path.
    private static var client: String {
        guard let program = CommandLine.arguments.first, program.contains("/") else { return "penguin" }
        return URL(filePath: program).deletingLastPathComponent().relativePath + "/penguin"
    }
}
