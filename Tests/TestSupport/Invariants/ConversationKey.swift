/// A conversation and whose it is.
package struct ConversationKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let tenant: String
    package let conversation: String

    package init(tenant: String, conversation: String) {
        self.tenant = tenant
        self.conversation = conversation
    }

    package var description: String { "\(self.tenant)/\(self.conversation)" }

    package static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}
