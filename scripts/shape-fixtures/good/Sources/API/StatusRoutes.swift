import Foundation
import Hummingbird
import PenguinAPI

struct StatusRoutes {
    func start() {
        // Ends with the connection, which waits for it.
        Task.detached { await self.serve() }
        let path = "/jobs/framework/network/work.txt"
        let files = FileManager.default
    }
}
