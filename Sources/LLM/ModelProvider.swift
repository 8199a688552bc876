/// Talking to model providers: one request in, a stream of what the model says out; and the catalogue of models.
///
/// A provider never retries: it says in `ModelError` whether that makes sense, and the engine decides.
package protocol ModelProvider: Sendable {
    /// Asks for one turn. Nothing is sent before the first event is asked for; releasing the stream or cancelling the
    /// task closes the transfer.
    func stream(_ request: ModelRequest) -> ModelEventStream
}
