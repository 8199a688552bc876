/// An entry of a conversation as the API shows it.
package struct ObservedMessage: Sendable, Equatable {
    package var id: String
    package var role: String
    package var text: String
    /// Of the metadata; nil for what users say.
    package var job: String?

    package init(id: String, role: String, text: String, job: String? = nil) {
        self.id = id
        self.role = role
        self.text = text
        self.job = job
    }
}
