import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import TTRPC

/// The interceptor ``Retrying``.
@Suite(.timeLimit(.minutes(15))) struct RetryingTests {
  private static let policy = RetryPolicy(
    attempts: 4, initialPause: .milliseconds(1), maximumPause: .milliseconds(2),
    randomFraction: { 0.5 })

  private static func attempts(
    of method: MethodDescriptor, timeout: Duration? = nil,
    failing error: RPCError, times: Int = .max, policy: RetryPolicy = policy
  ) async -> (attempts: Int, code: StatusCode) {
    var attempts = 0
    let context = ClientContext(
      method: method, metadata: [:], deadline: timeout.map { .now + $0 }, waitsForReady: false)
    do throws(RPCError) {
      try await Retrying(policy).intercept(context) { _ throws(RPCError) in
        attempts += 1
        if attempts <= times { throw error }
      }
    } catch {
      return (attempts, error.code)
    }
    return (attempts, .ok)
  }

  private static func method(
    _ shape: CallShape = .unary, isIdempotent: Bool = true
  ) -> MethodDescriptor {
    MethodDescriptor(service: "p", name: "Echo", shape: shape, isIdempotent: isIdempotent)
  }

  private static let unavailable = RPCError(code: .unavailable, message: "")

  @Test func `an idempotent call is retried until it succeeds or its attempts are used up`() async {
    #expect(await Self.attempts(of: Self.method(), failing: Self.unavailable, times: 2) == (3, .ok))
    #expect(await Self.attempts(of: Self.method(), failing: Self.unavailable) == (4, .unavailable))
  }

  @Test func `streams and methods that are not idempotent are not retried`() async {
    let once = Self.method(isIdempotent: false)
    #expect(await Self.attempts(of: once, failing: Self.unavailable) == (1, .unavailable))
    let stream = Self.method(.serverStreaming)
    #expect(await Self.attempts(of: stream, failing: Self.unavailable) == (1, .unavailable))
  }

  @Test func `the error says what is known of all attempts`() async {
    let lost = "the connection was lost"
    let (refused, unsent) = ("no database; the call had no effect", "cannot connect")
    let earlier = "an earlier attempt may have had an effect; the last one: "
    for (messages, expected) in [
      ([refused, refused, refused, refused], refused),
      ([lost, refused, refused, refused], earlier + refused),
      ([refused, lost, refused, refused], earlier + refused),
      ([refused, refused, refused, lost], lost),
      ([lost, unsent, unsent, refused], earlier + refused),
      ([unsent, unsent, unsent, refused], refused),
      ([lost, unsent, unsent, unsent], earlier + unsent),
    ] {
      let context = ClientContext(
        method: Self.method(), metadata: [:], deadline: nil, waitsForReady: false)
      var rest = messages[...]
      do throws(RPCError) {
        try await Retrying(Self.policy).intercept(context) { _ throws(RPCError) in
          let message = rest.removeFirst()
          throw RPCError(
            code: .unavailable, message: message, details: message == lost ? [] : [.noEffect])
        }
        Issue.record("the call succeeded")
      } catch {
        #expect(error.message == expected, "\(messages)")
        // A caller that makes the call again knows what is known of these attempts.
        #expect(error.mayHaveEffect == messages.contains(lost), "\(messages)")
      }
    }
  }

  @Test func `without a retry delay, only UNAVAILABLE is retried`() async {
    for code in StatusCode.allCases where code != .unavailable && code != .ok {
      let error = RPCError(code: code, message: "")
      #expect(await Self.attempts(of: Self.method(), failing: error) == (1, code))
    }
  }

  @Test func `a retry delay beyond the deadline is not waited for`() async {
    let busy = RPCError(
      code: .resourceExhausted, message: "", details: [.retryInfo(after: .seconds(60))])
    let outcome = await Self.attempts(of: Self.method(), timeout: .seconds(30), failing: busy)
    #expect(outcome == (1, .resourceExhausted))
  }

  @Test func `a call that a full server refused is retried`() async throws {
    var limits = ServerLimits.patient
    limits.calls = 1
    let (service, wasRefused) = (TestService(), Flag())
    try await withServer(limits: limits, service: service) { path, server in
      var configuration = ClientConfiguration()
      configuration.interceptors = [
        Retrying(
          RetryPolicy(attempts: .max, maximumPause: .milliseconds(50)) {
            wasRefused.set()
            return 0
          })
      ]
      let client = Client(path: path, configuration: configuration)
      let holder = Task {
        () throws(RPCError) in try await ClientTests.call(client, "Hold")
      }
      try await server.wait(forCalls: 1)
      let echo = Task { () throws(RPCError) -> WireDuration in
        try await client.unary(Self.method(), WireDuration(seconds: 1))
      }
      try await wasRefused.wait()
      service.released.set()
      #expect(try await echo.value.seconds == 2)
      _ = try await holder.value
    }
  }
}
