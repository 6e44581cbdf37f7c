public import MockupAPI
internal import TTRPC

/// Why a worker's closure has no picture. Any other error that it throws fails the mockup for good.
public struct MockupFailure: Error, Sendable, Hashable, CustomStringConvertible {
  public let description: String
  /// It may go better another time: the mockup is pending again, while it has attempts left.
  public let mayRetry: Bool

  public init(_ description: String, mayRetry: Bool) {
    self.description = description
    self.mayRetry = mayRetry
  }
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
  /// back for another attempt. It returns when all closures have.
  ///
  /// A server that is away is waited for.
  ///
  /// - Parameters:
  ///   - worker: Names the worker in logs and lists.
  ///   - concurrency: How many closures run at a time.
  ///   - lease: How long a mockup is the worker's without a sign of life, in whole seconds.
  /// - Throws: ``RPCError`` where the server does not let the worker claim. Closures that run are
  ///   finished first.
  public func withClaimedMockups(
    worker: String, concurrency: Int = 1, lease: Duration = .seconds(60),
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
              await work(on: mockup, lease: lease, body)
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
    _ body: @escaping @Sendable (ClaimedMockup) async throws -> MockupCompletion
  ) async {
    let result: Result<MockupCompletion, any Error> = await whileRenewing(claimed, lease) {
      do { return .success(try await body(claimed)) } catch { return .failure(error) }
    }
    let isStopped = Task.isCancelled
    // Also where the caller is cancelled. What cannot be said is left to the lease's end.
    await Task {
      do {
        switch result {
        case .success(let completion): try await report(completion, of: claimed)
        case .failure(let failure as MockupFailure):
          _ = try await fail(claimed, error: failure.description, mayRetry: failure.mayRetry)
        case .failure(let error):
          _ = try await fail(
            claimed, error: isStopped ? "The worker was stopped." : "\(error)",
            mayRetry: isStopped)
        }
      } catch {}
    }.value
  }

  /// Completes; a completion that the server refuses fails the mockup.
  private func report(
    _ completion: MockupCompletion, of claimed: ClaimedMockup
  ) async throws(RPCError) {
    do throws(RPCError) {
      _ = try await complete(claimed, completion)
    } catch {
      guard !error.isPassing else { throw error }
      _ = try await fail(claimed, error: "It could not be completed: \(error.message)")
    }
  }
}

extension RPCError {
  /// The server or its database is away, or busy: another time it would do.
  var isPassing: Bool {
    switch code {
    case .unavailable, .resourceExhausted, .deadlineExceeded, .cancelled: true
    default: false
    }
  }
}
