/// A text that prints as `hidden`, also inside other values, in `dump` and in a debugger.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself: hand it to the one who needs it, and to no log.
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package var description: String { "hidden" }
    package var debugDescription: String { "hidden" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
