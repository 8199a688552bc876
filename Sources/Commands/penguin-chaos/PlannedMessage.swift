/// A message of a plan, and what its client does.
struct PlannedMessage: Sendable, Equatable {
    enum Way: String, Sendable, CaseIterable {
        /// `POST /chat/message` with `Prefer: respond-async`, then followed on a socket.
        case post
        /// On a socket of its own.
        case socket
        /// On a socket that is never read.
        case deafSocket
    }

    /// How the provider fails for it.
    enum Failure: Sendable, Equatable {
        case none
        case status(Int, times: Int)
        case cut(after: Int, times: Int)

        var times: Int {
            switch self {
            case .none: 0
            case .status(_, let times), .cut(_, let times): times
            }
        }
    }

    /// Milliseconds after the load's begin.
    let at: Int
    /// From 0.
    let conversation: Int
    /// In the conversation, from 0.
    let number: Int
    let way: Way
    /// Which web process is asked first.
    let web: Int
    /// How many words the answer has.
    let words: Int
    /// Milliseconds between two words.
    let pace: Int
    let failure: Failure
    /// Milliseconds after the acceptance; nil for most.
    let cancelAfter: Int?
    /// After how many more events the client leaves and comes back, time after time.
    let leavesAfter: [Int]
    /// Whether others follow it too: from the start on a socket, and by server-sent events.
    let hasSecondFollower: Bool
    let hasStreamFollower: Bool

    /// The answer to the text of the same `round`: how often it was sent before, each time as another text.
    func answer(round: Int) -> String {
        (0..<self.words).map { "\(self.name(round: round))w\($0)" }.joined(separator: " ")
    }

    /// What is said: unlike every other text of the run, with the provider's directives.
    func text(round: Int) -> String {
        let fault =
            switch self.failure {
            case .none: ""
            case .status(let status, let times): " error=\(status) times=\(times)"
            case .cut(let after, let times): " cut=\(after) times=\(times)"
            }
        return "\(self.name(round: round)) [[say=\(self.answer(round: round))]] [[delay=\(self.pace)ms\(fault)]]"
    }

    private func name(round: Int) -> String {
        "c\(self.conversation)m\(self.number)" + (round == 0 ? "" : "r\(round)")
    }
}
