import Synchronization

/// Gathers what callbacks bring.
final class Collected<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    func add(_ element: Element) {
        self.elements.withLock { $0.append(element) }
    }

    var all: [Element] { self.elements.withLock { $0 } }
}

/// A number of things to give away, to many takers.
final class Countdown: Sendable {
    private let left: Mutex<Int>

    init(_ count: Int) {
        self.left = Mutex(count)
    }

    /// False when there is none left.
    func take() -> Bool {
        self.left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }
}

/// Things to give away in order, to many takers.
final class GivenOut<Element: Sendable>: Sendable {
    private let elements: [Element]
    private let next = Mutex(0)

    init(_ elements: [Element]) {
        self.elements = elements
    }

    /// Nil when there is none left.
    func take() -> Element? {
        let index = self.next.withLock { next in
            defer { next += 1 }
            return next
        }
        return index < self.elements.count ? self.elements[index] : nil
    }
}
