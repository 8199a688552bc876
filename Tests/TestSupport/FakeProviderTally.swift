/// What a fake provider was asked about one text: the last user message of a request.
package struct FakeProviderTally: Sendable, Equatable {
    /// Requests received whole.
    package var requests = 0
    /// Answers written to their end; errors and broken answers are none.
    package var answers = 0
    /// What stood just before the text in the prompt of the newest request: the user message before it, and the answers to
    /// that.
    package var before: [FakeProviderRequest.Message] = []

    package init() {}
}
