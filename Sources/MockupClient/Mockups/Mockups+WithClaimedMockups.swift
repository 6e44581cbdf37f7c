public import MockupAPI
public import TTRPC

/// The reason why a worker's closure has no picture.
///
/// Any other error that the closure throws fails the mockup for good, and leaves its credits held: the
/// vendor may have charged.
public struct MockupFailure: Error, Sendable, Hashable, CustomStringConvertible {
  public let description: String
  /// Whether another attempt may succeed: the mockup is pending again, while it has attempts left.
  public let mayRetry: Bool
  /// Whether the vendor may have charged for the attempt: then the credits are not released.
  public let mayBeCharged: Bool

  public init(_ description: String, mayRetry: Bool, mayBeCharged: Bool = false) {
    self.description = description
    self.mayRetry = mayRetry
    self.mayBeCharged = mayBeCharged
  }
}

/// A completion that the server did not record: the vendor has charged, and the mockup is not completed.
public struct UnrecordedCompletion: Sendable {
  public let claimed: ClaimedMockup
  public let completion: MockupCompletion
  /// Why the server did not record it.
  public let error: RPCError
  /// Whether the mockup has failed with its reservation unresolved, for an administrator to resolve.
  /// Where it has not, the lease was lost, or the server was unavailable for as long as a lease: then
  /// the mockup may be with another worker, or pending again.
  public let isFailed: Bool
}

extension Mockups {
  /// How long one call waits for work.
  private static let wait: Duration = .seconds(20)
  /// The pauses after calls that met a server that is away: twice as long each time.
  private static let shortestPause: Duration = .milliseconds(200)
  private static let longestPause: Duration = .seconds(5)

  private enum Event: Sendable {
    case claimed(Result<[ClaimedMockup], RPCError>)
    case finished
  }

  /// Works: claims mockups as they come, runs a closure for each, and completes it with what the closure
  /// returns, or fails it with what it throws.
  ///
  /// While a closure runs, its lease is renewed at each third of it. Where the lease is lost all the
  /// same, the closure's task is cancelled. When the caller's task is cancelled, nothing more is
  /// claimed, and the closures' tasks are cancelled too: a mockup whose closure then throws is given
  /// back for another attempt, with its credits held as they are. It returns when all closures have,
  /// and what they returned or threw is reported.
  ///
  /// The worker waits for a server that is unavailable: to claim for as long as it takes, to report for
  /// as long as a lease.
  ///
  /// A completion that the server refuses (more credits than are held, metadata that is no object) fails
  /// the mockup, with the reason in its error message, and leaves its reservation unresolved: the vendor
  /// has charged, and an administrator decides how much.
  ///
  /// - Parameters:
  ///   - worker: Names the worker in logs and lists.
  ///   - concurrency: How many closures run at a time.
  ///   - lease: How long a mockup is the worker's without a sign of life, in whole seconds.
  ///   - onUnrecorded: Runs for each completion that was not recorded.
  /// - Throws: ``RPCError`` where the server does not let the worker claim. Closures that run are
  ///   finished first.
  public func withClaimedMockups(
    worker: String, concurrency: Int = 1, lease: Duration = .seconds(60),
    onUnrecorded: @escaping @Sendable (UnrecordedCompletion) async -> Void = { _ in },
    _ body: @escaping @Sendable (ClaimedMockup) async throws -> MockupCompletion
  ) async throws(RPCError) {
    let refusal = await withTaskGroup(of: Event.self) { group in
      var free = max(concurrency, 1)
      var isClaiming = false
      var pause = Self.shortestPause
      var refusal: RPCError?
      while true {
        if free > 0, !isClaiming, refusal == nil, !Task.isCancelled {
          isClaiming = true
          group.addTask { [count = min(free, 100)] in
            await claimed(worker: worker, count: count, lease: lease)
          }
        }
        switch await group.next() {
        case .claimed(.success(let mockups)):
          isClaiming = false
          pause = Self.shortestPause
          free -= mockups.count
          for mockup in mockups {
            group.addTask {
              await work(on: mockup, lease: lease, onUnrecorded, body)
              return .finished
            }
          }
        case .claimed(.failure(let error)) where error.isPassing:
          isClaiming = false
          try? await Task.sleep(for: pause)
          pause = min(pause * 2, Self.longestPause)
        case .claimed(.failure(let error)):
          refusal = error
        case .finished:
          free += 1
        case nil:
          return Task.isCancelled ? nil : refusal
        }
      }
    }
    if let refusal { throw refusal }
  }

  private func claimed(worker: String, count: Int, lease: Duration) async -> Event {
    do throws(RPCError) {
      return .claimed(
        .success(try await claim(worker: worker, count: count, lease: lease, wait: Self.wait)))
    } catch {
      return .claimed(.failure(error))
    }
  }

  private func work(
    on claimed: ClaimedMockup, lease: Duration,
    _ onUnrecorded: @escaping @Sendable (UnrecordedCompletion) async -> Void,
    _ body: @escaping @Sendable (ClaimedMockup) async throws -> MockupCompletion
  ) async {
    let result: Result<MockupCompletion, any Error> = await whileRenewing(claimed, lease) {
      do { return .success(try await body(claimed)) } catch { return .failure(error) }
    }
    let isStopped = Task.isCancelled
    do throws(RPCError) {
      switch result {
      case .success(let completion):
        await report(completion, of: claimed, lease: lease, onUnrecorded)
      case .failure(let failure as MockupFailure):
        try await report(failure, of: claimed, lease: lease)
      case .failure(let error):
        let reason = isStopped ? "the worker was stopped" : "\(error)"
        try await report(
          MockupFailure(reason, mayRetry: isStopped, mayBeCharged: true), of: claimed, lease: lease)
      }
    } catch {
      // What cannot be said is left to the lease's end.
    }
  }

  /// Completes a mockup. A completion that the server refuses fails it, and leaves its credits held: the
  /// vendor has charged.
  private func report(
    _ completion: MockupCompletion, of claimed: ClaimedMockup, lease: Duration,
    _ onUnrecorded: @escaping @Sendable (UnrecordedCompletion) async -> Void
  ) async {
    do throws(RPCError) {
      _ = try await shielded.run(patience: lease) { [bounded] () async throws(RPCError) in
        try await bounded.complete(claimed, completion)
      }
    } catch {
      var isFailed = false
      if !error.isPassing {
        let charged = completion.credits.map { "\($0) credits" } ?? "all reserved credits"
        let failure = MockupFailure(
          "the completion was refused: \(error.message); charged: \(charged); "
            + "file_url: \(completion.fileURL)", mayRetry: false, mayBeCharged: true)
        isFailed = (try? await report(failure, of: claimed, lease: lease)) != nil
      }
      await onUnrecorded(
        UnrecordedCompletion(
          claimed: claimed, completion: completion, error: error, isFailed: isFailed))
    }
  }

  private func report(
    _ failure: MockupFailure, of claimed: ClaimedMockup, lease: Duration
  ) async throws(RPCError) {
    _ = try await shielded.run(patience: lease) { [bounded] () async throws(RPCError) in
      try await bounded.fail(
        claimed, error: failure.description, mayRetry: failure.mayRetry,
        mayBeCharged: failure.mayBeCharged)
    }
  }

  private var bounded: Mockups {
    Mockups(stub: stub, options: options.bounded, retry: retry, shielded: shielded)
  }
}
