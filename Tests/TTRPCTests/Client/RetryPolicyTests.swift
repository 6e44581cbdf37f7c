import TTRPC
import Testing

/// When a client sends a call again, and how soon.
@Suite struct RetryPolicyTests {
  private static let away = RPCError(code: .unavailable, message: "")
  private static let full = RPCError(
    code: .resourceExhausted, message: "", details: [.retryInfo(after: .milliseconds(100))])
  private static let tooLarge = RPCError(code: .resourceExhausted, message: "")

  private static func away(_ delay: Duration) -> RPCError {
    RPCError(code: .unavailable, message: "", details: [.retryInfo(after: delay)])
  }

  @Test(
    arguments: [
      (1, away, 25, 50),
      (2, away, 50, 100),
      (3, away, 100, 200),
      (6, away, 800, 1600),
      (7, away, 1000, 2000),
      (99, away, 1000, 2000),
      (100, away, nil, nil),
      (1, tooLarge, nil, nil),
      // Not before the server asks for it, also beyond the longest pause.
      (1, full, 100, 125),
      (3, full, 100, 200),
      (4, full, 200, 400),
      (1, away(.seconds(5)), 5000, 5025),
      (9, away(.seconds(5)), 5000, 6000),
      (2, away(.zero), 50, 100),
      (2, away(.seconds(-1)), 50, 100),
    ] as [(Int, RPCError, Int?, Int?)])
  func thePauseDoublesUpToALimit(attempt: Int, error: RPCError, shortest: Int?, longest: Int?) {
    for (fraction, pause) in [(0.0, shortest), (1.0, longest)] {
      let policy = RetryPolicy(attempts: 100) { fraction }
      #expect(
        policy.pause(afterAttempt: attempt, error) == pause.map { .milliseconds($0) })
    }
  }

  @Test(arguments: StatusCode.allCases)
  func onlyWhatAnotherTryMayHelpIsSentAgain(code: StatusCode) {
    let error = RPCError(
      code: code, message: "", details: [.retryInfo(after: .milliseconds(1))])
    let isRetried = RetryPolicy().pause(afterAttempt: 1, error) != nil
    #expect(isRetried == (code == .unavailable || code == .resourceExhausted))
    #expect(RetryPolicy.never.pause(afterAttempt: 1, error) == nil)
  }
}
