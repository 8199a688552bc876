import Domain
import Foundation

/// What a newcomer sees on the terminal.
struct Greeting {
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
              penguin chat "hello" --url \(url)

            """
        )
        fflush(nil)
    }
}
