import Synchronization
import TestSupport
import Testing

@testable import MockupClient

/// Retries and cancellation of calls that must reach the server.
@Suite struct ShieldedCallsTests {
  private static func error(_ code: StatusCode, retryAfter delay: Duration? = nil) -> RPCError {
    RPCError(code: code, message: "no", details: delay.map { [.retryInfo(after: $0)] } ?? [])
  }

  /// A call that fails a given number of times before it succeeds.
  private final class Call: Sendable {
    let made = Atomic(0)
    let failures: Int
    let error: RPCError

    init(failures: Int, _ error: RPCError) {
      self.failures = failures
      self.error = error
    }

    var count: Int { made.load(ordering: .relaxed) }

    func make() throws(RPCError) {
      if made.add(1, ordering: .relaxed).newValue <= failures { throw error }
    }

    /// Runs the call and returns its final error code, or `nil` if it succeeded.
    func run(retry: RetryPolicy = RetryPolicy(), retryTimeout: Duration) async -> StatusCode? {
      do throws(RPCError) {
        try await ShieldedCalls(retry: retry).run(retryTimeout: retryTimeout) {
          () async throws(RPCError) in try self.make()
        }
        return nil
      } catch {
        return error.code
      }
    }
  }

  @Test func `a transient error is retried`() async {
    let errors = [
      Self.error(.unavailable), Self.error(.deadlineExceeded), Self.error(.cancelled),
      Self.error(.resourceExhausted, retryAfter: .milliseconds(1)),
    ]
    for error in errors {
      let call = Call(failures: 3, error)
      #expect(await call.run(retryTimeout: .seconds(600)) == nil)
      #expect(call.count == 4)
    }
  }

  @Test(arguments: [
    StatusCode.failedPrecondition, .invalidArgument, .internalError, .resourceExhausted,
  ])
  func `a permanent error is not retried`(code: StatusCode) async {
    let call = Call(failures: 1, Self.error(code))
    #expect(await call.run(retryTimeout: .seconds(600)) == code)
    #expect(call.count == 1)
  }

  @Test func `without a retry timeout or with retries disabled, a call is made once`() async {
    let withoutTimeout = Call(failures: 1, Self.error(.unavailable))
    #expect(await withoutTimeout.run(retryTimeout: .zero) == .unavailable)
    #expect(withoutTimeout.count == 1)
    let withoutRetries = Call(failures: 1, Self.error(.unavailable))
    #expect(await withoutRetries.run(retry: .never, retryTimeout: .seconds(600)) == .unavailable)
    #expect(withoutRetries.count == 1)
  }

  @Test func `waiting for all calls includes calls with a cancelled caller`() async throws {
    let calls = ShieldedCalls(retry: .never)
    await calls.waitForAll()
    let (started, opened) = (Flag(), Flag())
    let succeeding = Call(failures: 0, Self.error(.unknown))
    let call = Task {
      try await calls.run { () async throws(RPCError) in
        started.set()
        try? await opened.wait()
        #expect(!Task.isCancelled)
        try succeeding.make()
      }
    }
    try await started.wait()
    call.cancel()
    Task { opened.set() }
    await calls.waitForAll()
    #expect(succeeding.count == 1)
    try await call.value
  }
}
