struct Follow {
    let job: String
    var log: String { "penguin:log:\(self.job)" }
    func high(prefix: String) -> String { "\(prefix)jobs:high" }
    let read = ["XRANGE", "-", "+"]
    let group = "XGROUP CREATE"
    let announce = ["PUBLISH", "control"]
}
