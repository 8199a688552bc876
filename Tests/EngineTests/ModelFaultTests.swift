import Domain
import LLM
import Testing

@testable import Engine

/// What the provider's errors are to the retry policy.
@Suite(.timeLimit(.minutes(1)))
struct ModelFaultTests {
    @Test(arguments: ModelError.Code.allCases)
    func `only what may pass is asked again`(code: ModelError.Code) {
        let passing: Set<ModelError.Code> = [
            .rateLimited, .overloaded, .serverError, .timeout, .connection, .cutOff,
        ]
        let error = ModelError(code, "words", retryAfter: .seconds(3))
        let isPassing = passing.contains(code)
        #expect(error.fault(hasBegun: false) == (isPassing ? .provider(retryAfter: .seconds(3)) : .work))
        #expect(error.fault(hasBegun: true) == (isPassing ? .cut : .work))
        #expect(error.failure == JobFailure(code: code.rawValue, message: "words", retryable: isPassing))
    }
}
