import TTRPC
import Testing

/// The decision to retry a call, and the pause before the retry.
@Suite struct RetryPolicyTests {
  private static let unavailable = RPCError(code: .unavailable, message: "")
  private static let full = RPCError(
    code: .resourceExhausted, message: "", details: [.retryInfo(after: .milliseconds(100))])
  private static let tooLarge = RPCError(code: .resourceExhausted, message: "")

  private static func unavailable(_ delay: Duration) -> RPCError {
    RPCError(code: .unavailable, message: "", details: [.retryInfo(after: delay)])
  }

  @Test(
    arguments: [
      (1, unavailable, 25, 50),
      (2, unavailable, 50, 100),
      (3, unavailable, 100, 200),
      (6, unavailable, 800, 1600),
      (7, unavailable, 1000, 2000),
      (99, unavailable, 1000, 2000),
      (100, unavailable, nil, nil),
      (1, tooLarge, nil, nil),
      // At least the delay that the server asks for, even if it exceeds the longest pause.
      (1, full, 100, 125),
      (3, full, 100, 200),
      (4, full, 200, 400),
      (1, unavailable(.seconds(5)), 5000, 5025),
      (9, unavailable(.seconds(5)), 5000, 6000),
      (2, unavailable(.zero), 50, 100),
      (2, unavailable(.seconds(-1)), 50, 100),
    ] as [(Int, RPCError, Int?, Int?)])
  func `the pause doubles with each attempt, up to a limit`(
    attempt: Int, error: RPCError, shortest: Int?, longest: Int?
  ) {
    for (fraction, pause) in [(0.0, shortest), (1.0, longest)] {
      let policy = RetryPolicy(attempts: 100) { fraction }
      #expect(
        policy.pause(afterAttempt: attempt, error) == pause.map { .milliseconds($0) })
    }
  }

  @Test(arguments: StatusCode.allCases)
  func `only errors that a retry may cure are retried`(code: StatusCode) {
    let error = RPCError(
      code: code, message: "", details: [.retryInfo(after: .milliseconds(1))])
    let isRetried = RetryPolicy().pause(afterAttempt: 1, error) != nil
    #expect(isRetried == (code == .unavailable || code == .resourceExhausted))
    #expect(RetryPolicy.never.pause(afterAttempt: 1, error) == nil)
  }
}
