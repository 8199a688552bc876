import Synchronization

/// A list that many tasks append to.
final class SharedList<Element: Sendable>: Sendable {
    private let list = Mutex<[Element]>([])

    func append(_ element: Element) { self.list.withLock { $0.append(element) } }

    var elements: [Element] { self.list.withLock { $0 } }
}
