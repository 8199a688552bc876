import Domain
import Synchronization

/// Prose that only begins like code does no harm.
struct Iterations {
    // if the model asks for a tool, it runs
    // let the caller decide what an error means
    // return to the last checkpoint (see `Store`) and go on
    // TODO #12: count the tokens of a tool's answer
    func run() -> String {
        /* a block /* in a block */ with "a quote */
        let pattern = /SELECT "[a-z]+/
        let raw = #"a "raw" \(string) with // no comment"#
        let update = "Update the set: select what you need from it, log: nothing"
        let url = "https://example.org/\(["a", "b"].joined(separator: "//"))"  // not a comment in a string
        return "\(pattern) \(raw) \(url) \(update)"
    }

    func reprint(sprint: Int) {
        self.blueprint(sprint)
        self.print(sprint)
        var text = ""
        dump(self, to: &text)
    }
}
