import Domain

extension InvariantChecker {
    /// G3: order of acceptance = order in the conversation = order of execution, one at a time, nothing twice.
    mutating func checkConversations() {
        let byText = Dictionary(self.record.jobs.map { ($0.text, $0) }) { first, _ in first }
        for (key, jobs) in Dictionary(grouping: self.record.jobs, by: \.conversation) {
            self.checkExecution(of: jobs)
            guard let history = self.record.conversations[key] else { continue }
            self.checkHistory(history, key, byText)
            self.checkPresence(of: jobs, in: history)
            self.checkPrompts(history, byText)
        }
    }

    /// The runs of a lane do not overlap, and begin in the order in which they were accepted.
    private mutating func checkExecution(of jobs: [ObservedJob]) {
        let runs = jobs.filter { $0.startedAt != nil }.sorted {
            ($0.startedAt ?? .zero, $0.id) < ($1.startedAt ?? .zero, $1.id)
        }
        for (first, second) in zip(runs, runs.dropFirst()) {
            guard let end = first.finishedAt, let begin = second.startedAt else { continue }
            self.report.check(
                .order,
                end <= begin,
                "\(second.id) began \(end.milliseconds - begin.milliseconds) ms before \(first.id) of \(first.conversation) ended"
            )
        }
        let numbers = runs.compactMap { self.accepted[$0.id]?.number }
        for (first, second) in zip(numbers, numbers.dropFirst()) {
            self.report.check(
                .order,
                first < second,
                "\(runs.first?.conversation.description ?? ""): accepted as number \(second), run after \(first)"
            )
        }
    }

    /// Users speak in the order of acceptance, each is followed by its own answer, and nobody speaks twice.
    private mutating func checkHistory(
        _ history: [ObservedMessage],
        _ key: ConversationKey,
        _ byText: [String: ObservedJob]
    ) {
        self.report.check(.order, Set(history.map(\.id)).count == history.count, "\(key) has a message twice")
        var current: ObservedJob?
        var last = -1
        for message in history {
            switch message.role {
            case "user":
                current = byText[message.text]
                self.report.check(.order, current != nil, "\(key): no job says '\(message.text.prefix(80))'")
                guard let current, let number = self.accepted[current.id]?.number else { continue }
                self.report.check(.order, number > last, "\(key): message number \(number) comes after \(last)")
                last = number
            case "assistant":
                self.report.check(
                    .order,
                    message.job == current?.id.rawValue,
                    "\(key): the answer of \(message.job ?? "nobody") follows the message of \(current?.id.rawValue ?? "nobody")"
                )
            default: continue
            }
        }
    }

    /// Each message that was ever claimed is there once, with one answer at most; the others are not there.
    private mutating func checkPresence(of jobs: [ObservedJob], in history: [ObservedMessage]) {
        let users = Dictionary(grouping: history.filter { $0.role == "user" }, by: \.text)
        let answers = Dictionary(grouping: history.filter { $0.role == "assistant" }, by: \.job)
        for job in jobs where job.hasEnded {
            let said = users[job.text]?.count ?? 0
            self.report.check(
                .order,
                said == (job.claims > 0 ? 1 : 0),
                "\(job.id), \(job.state) after \(job.claims) claims, is \(said) times in \(job.conversation)"
            )
            let texts = (answers[job.id.rawValue] ?? []).map(\.text)
            if job.state == "completed" {
                let response = job.response ?? ""
                self.report.check(
                    .order,
                    texts == (response.isEmpty ? [] : [response]),
                    "\(job.id), completed, has \(texts.count) answers in \(job.conversation), or another text"
                )
            } else {
                self.report.check(
                    .order,
                    texts.count <= (job.claims > 0 ? 1 : 0),
                    "\(job.id), \(job.state), has \(texts.count) answers in \(job.conversation)"
                )
            }
        }
    }

    /// The model was shown what the conversation has before each message.
    private mutating func checkPrompts(_ history: [ObservedMessage], _ byText: [String: ObservedJob]) {
        var before: [ObservedMessage] = []
        for message in history where message.role == "user" || message.role == "assistant" {
            guard message.role == "user" else {
                before.append(message)
                continue
            }
            if let tally = self.record.tallies[message.text] {
                let shown = tally.before.map { "\($0.role): \($0.content)" }
                self.report.check(
                    .order,
                    shown == before.map { "\($0.role): \($0.text)" },
                    "the model was asked '\(message.text.prefix(60))' after other messages than the conversation has"
                )
            }
            before = [message]
        }
    }
}

extension Timestamp {
    fileprivate static let zero = Timestamp(milliseconds: 0)
}
