/// Plans what clients do.
struct LoadPlanner {
    /// So many conversations are busy, so that their messages wait for each other.
    private static let busyMax = 10
    private static let busyPercent = 30
    /// Messages for a socket that nobody reads, each with much to read.
    private static let deafEvery = 100

    let shape: ChaosShape

    /// Spread evenly over the time.
    func messages(_ generator: inout SeededGenerator) -> [PlannedMessage] {
        var numbers: [Int: Int] = [:]
        return (0..<self.shape.jobs).map { index in
            let conversation = self.conversation(&generator)
            let number = numbers[conversation, default: 0]
            numbers[conversation] = number + 1
            let at = index * self.shape.milliseconds / max(1, self.shape.jobs)
            return self.message(at: at, conversation, number, isDeaf: index % Self.deafEvery == 50, &generator)
        }
    }

    private func conversation(_ generator: inout SeededGenerator) -> Int {
        let isBusy = generator.happens(percent: Self.busyPercent)
        let count = isBusy ? min(Self.busyMax, self.shape.conversations) : self.shape.conversations
        return generator.pick(below: count)
    }

    private func message(
        at: Int,
        _ conversation: Int,
        _ number: Int,
        isDeaf: Bool,
        _ generator: inout SeededGenerator
    ) -> PlannedMessage {
        let way: PlannedMessage.Way = generator.happens(percent: 50) ? .post : .socket
        let isLong = generator.happens(percent: 10)
        let words = generator.pick(isLong ? 200...500 : 10...80)
        let pace = generator.pick(2...20)
        let away = generator.pick(of: [0, 0, 0, 1, 2, 4])
        return PlannedMessage(
            at: at,
            conversation: conversation,
            number: number,
            way: isDeaf ? .deafSocket : way,
            web: generator.pick(below: self.shape.webs),
            words: isDeaf ? 2000 : words,
            pace: isDeaf ? 1 : pace,
            failure: self.failure(&generator),
            cancelAfter: self.cancel(&generator),
            leavesAfter: (0..<away).map { _ in generator.pick(0...30) },
            hasSecondFollower: generator.happens(percent: 20),
            hasStreamFollower: generator.happens(percent: 10)
        )
    }

    private func failure(_ generator: inout SeededGenerator) -> PlannedMessage.Failure {
        switch generator.pick(below: 20) {
        case 0: .status(generator.pick(of: [429, 500, 502, 503]), times: generator.pick(1...2))
        case 1: .cut(after: generator.pick(0...8), times: 1)
        default: .none
        }
    }

    private func cancel(_ generator: inout SeededGenerator) -> Int? {
        generator.happens(percent: 6) ? generator.pick(0...1500) : nil
    }
}
