/// Why a process of Penguin cannot start or go on; the text says what to do.
package struct ServerError: Error, Sendable, CustomStringConvertible {
    package let message: String

    init(_ message: String) {
        self.message = message
    }

    package var description: String { self.message }
}
