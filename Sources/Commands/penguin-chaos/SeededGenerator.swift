/// SplitMix64: the same numbers for the same seed, on any machine.
struct SeededGenerator: Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// One of `0..<count`; the standard library's way of picking may change from version to version.
    mutating func pick(below count: Int) -> Int {
        Int(self.next().multipliedFullWidth(by: UInt64(count)).high)
    }

    mutating func pick(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + self.pick(below: range.count)
    }

    mutating func pick<Element>(of elements: [Element]) -> Element {
        elements[self.pick(below: elements.count)]
    }

    /// True in so many of a hundred cases.
    mutating func happens(percent: Int) -> Bool {
        self.pick(below: 100) < percent
    }
}
