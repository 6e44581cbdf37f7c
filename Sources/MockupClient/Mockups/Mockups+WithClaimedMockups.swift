public import MockupAPI
public import TTRPC

/// An error that a worker's closure throws if it could not make a picture.
///
/// Any other error of the closure also fails the mockup, and leaves its credits held, because the
/// vendor may have charged. The mockup gets another attempt only if the worker is being stopped or
/// has lost the lease.
public struct MockupFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// The reason, which becomes the mockup's error message.
  public let description: String
  /// True if another attempt may succeed.
  ///
  /// The mockup then becomes pending again, if it has attempts left.
  public let mayRetry: Bool
  /// True if the vendor may have charged for the attempt.
  ///
  /// The credits are then not released.
  public let mayBeCharged: Bool

  /// Creates a failure.
  ///
  /// - Parameters:
  ///   - description: The reason, which becomes the mockup's error message.
  ///   - mayRetry: True if another attempt may succeed.
  ///   - mayBeCharged: True if the vendor may have charged for the attempt.
  public init(_ description: String, mayRetry: Bool, mayBeCharged: Bool = false) {
    self.description = description
    self.mayRetry = mayRetry
    self.mayBeCharged = mayBeCharged
  }
}

/// A completion that the server did not record, although the vendor has charged for it.
public struct UnrecordedCompletion: Sendable {
  /// The mockup, which is not completed.
  public let claimed: ClaimedMockup
  /// The picture, and the credits that the vendor charged.
  public let completion: MockupCompletion
  /// The reason why the server did not record the completion.
  public let error: RPCError
  /// True if the mockup has failed and its reservation is unresolved.
  ///
  /// An administrator must then resolve the reservation. Otherwise the lease was lost, or the
  /// server was unavailable for the duration of a lease: another worker may have claimed the
  /// mockup, or it may be pending again.
  public let isFailed: Bool
}

extension Mockups {
  /// The time that one call of `claim` waits for a pending mockup.
  private static let wait: Duration = .seconds(20)
  /// The pause after the first call that fails because the server is unavailable.
  ///
  /// The pause doubles with each further failure.
  private static let initialPause: Duration = .milliseconds(200)
  private static let maximumPause: Duration = .seconds(5)

  private enum Event: Sendable {
    case claimed(Result<[ClaimedMockup], RPCError>)
    case finished
  }

  /// Claims pending mockups, runs a closure for each, and reports the closures' results.
  ///
  /// This is the main loop of a worker, which ends when the caller's task is cancelled. A mockup is
  /// completed with the picture that its closure returns, or failed with the error that it throws.
  ///
  /// While a closure runs, its lease is renewed every third of the lease's duration. If the lease
  /// is lost, the closure's task is cancelled. A mockup whose closure then throws becomes pending
  /// again if it has attempts left, with its credits still held, unless another worker has claimed
  /// it.
  ///
  /// If the caller's task is cancelled, no more mockups are claimed, and the closures' tasks are
  /// cancelled too. A mockup whose closure then throws becomes pending again, with its credits
  /// still held. The method returns when all closures have returned and their results have been
  /// reported.
  ///
  /// The worker waits while the server is unavailable: without limit to claim, and for the duration
  /// of a lease to report.
  ///
  /// If the server refuses a completion, for example because the credits exceed the held ones or
  /// the metadata is not a JSON object, the mockup fails with the reason in its error message. Its
  /// reservation is left unresolved, because the vendor has charged: an administrator decides how
  /// much.
  ///
  /// - Parameters:
  ///   - worker: The worker's name, 1 to 200 characters, which is stored in `mockupd.mockup_jobs`.
  ///   - concurrency: The maximum number of closures that run at the same time.
  ///   - lease: The duration of a lease, rounded up to whole seconds. A mockup whose lease is not
  ///     renewed within this time can be claimed by another worker.
  ///   - onUnrecorded: The closure that is called for each completion that was not recorded.
  ///   - body: The closure that makes the picture of a claimed mockup.
  /// - Throws: `RPCError` if the server refuses a claim. Running closures are finished and
  ///   reported first.
  public func withClaimedMockups(
    worker: String, concurrency: Int = 1, lease: Duration = .seconds(60),
    onUnrecorded: @escaping @Sendable (UnrecordedCompletion) async -> Void = { _ in },
    _ body: @escaping @Sendable (ClaimedMockup) async throws -> MockupCompletion
  ) async throws(RPCError) {
    let refusal = await withTaskGroup(of: Event.self) { group in
      var free = max(concurrency, 1)
      var isClaiming = false
      var pause = Self.initialPause
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
          pause = Self.initialPause
          free -= mockups.count
          for mockup in mockups {
            group.addTask {
              await work(on: mockup, lease: lease, onUnrecorded, body)
              return .finished
            }
          }
        case .claimed(.failure(let error)) where error.isTransient:
          isClaiming = false
          try? await Task.sleep(for: max(pause, error.retryDelay ?? .zero))
          pause = min(pause * 2, Self.maximumPause)
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
    let (result, isLost): (Result<MockupCompletion, any Error>, Bool) = await whileRenewing(
      claimed, lease
    ) {
      do { return .success(try await body(claimed)) } catch { return .failure(error) }
    }
    let interruption =
      Task.isCancelled ? "the worker was stopped" : isLost ? "the lease was lost" : nil
    do throws(RPCError) {
      switch result {
      case .success(let completion):
        await report(completion, of: claimed, lease: lease, onUnrecorded)
      case .failure(let failure as MockupFailure):
        try await report(failure, of: claimed, lease: lease)
      case .failure(let error):
        try await report(
          MockupFailure(
            interruption ?? "\(error)", mayRetry: interruption != nil, mayBeCharged: true),
          of: claimed, lease: lease)
      }
    } catch {
      // If the report fails, the lease expires and the server takes the mockup back.
    }
  }

  /// Completes a mockup, or fails it if the server refuses the completion.
  ///
  /// A failed mockup keeps its credits held, because the vendor has charged.
  private func report(
    _ completion: MockupCompletion, of claimed: ClaimedMockup, lease: Duration,
    _ onUnrecorded: @escaping @Sendable (UnrecordedCompletion) async -> Void
  ) async {
    do throws(RPCError) {
      _ = try await shielded.run(retryTimeout: lease) { [bounded] () async throws(RPCError) in
        try await bounded.complete(claimed, completion)
      }
    } catch {
      var isFailed = false
      if !error.isTransient {
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
    _ = try await shielded.run(retryTimeout: lease) { [bounded] () async throws(RPCError) in
      try await bounded.fail(
        claimed, error: failure.description, mayRetry: failure.mayRetry,
        mayBeCharged: failure.mayBeCharged)
    }
  }

  private var bounded: Mockups {
    Mockups(stub: stub, options: options.bounded, retry: retry, shielded: shielded)
  }
}
