import HTTPTypes
import MockupClient
import Testing

@testable import mockup_console

/// The pages on failed calls to mockupd.
@Suite struct FailureTests {
  private static let certain: Set<StatusCode> = [
    .notFound, .invalidArgument, .outOfRange, .failedPrecondition, .alreadyExists, .aborted,
    .permissionDenied, .unauthenticated, .unimplemented,
  ]

  @Test(arguments: StatusCode.allCases)
  func `a failed write has an unknown outcome unless mockupd has refused it`(_ code: StatusCode) {
    let error = RPCError(
      code: code,
      message: "the database did not answer and the outcome is unknown; retry with the same ids")
    let write = Failure(error, isWrite: true)
    #expect(write.message.contains("the database did not answer"))
    #expect(write.advice.contains("The outcome is unknown") != Self.certain.contains(code))
    #expect(write.advice.contains("The page Stuck lists") != Self.certain.contains(code))
    #expect(!write.advice.contains("Nothing was changed"))
    let read = Failure(error, isWrite: false)
    #expect(!read.advice.contains("outcome"))
    #expect(read.status == write.status)
  }

  @Test func `a write without an effect changed nothing, unless an earlier attempt may have`() {
    let error = RPCError(
      code: .unavailable, message: "the database is read-only", details: [.noEffect])
    #expect(Failure(error, isWrite: true).advice.contains("Nothing was changed"))
    let retried = Failure(error.afterUncertainAttempt, isWrite: true)
    #expect(retried.advice.contains("The outcome is unknown"))
  }
}
