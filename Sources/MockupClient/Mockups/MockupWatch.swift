internal import AsyncAlgorithms
public import FoundationEssentials
public import MockupAPI
internal import TTRPC

/// A change of one of a user's mockups.
public struct MockupEvent: Sendable, Hashable {
  /// The kind of a change, with the mockup that it is about.
  public enum Change: Sendable, Hashable {
    /// The watch has begun, and later changes will be delivered.
    ///
    /// This is always the first event of a watch, and occurs once.
    case began
    /// A mockup was created or changed; the value is its new state.
    case changed(MockupAPI.Mockup)
    /// The mockup with this id was deleted.
    case deleted(UUID)
  }

  /// The change that occurred.
  public let change: Change
  /// The token with which another watch continues after this change.
  public let resumeToken: String
}

/// The changes of a user's mockups, delivered as they happen.
///
/// The latest state of every mockup is delivered. If a mockup changes several times in quick
/// succession, only the last change may be delivered.
///
/// The watch restarts after the last event that was read if the server or its database becomes
/// unavailable, or if the reader was so slow that too many events were waiting for it. The number
/// of restarts is not limited; the pauses between them are those of the client's `RetryPolicy`.
/// The policy's limit of attempts applies until the watch has begun for the first time. With
/// `RetryPolicy.never`, the watch is never restarted.
public struct MockupWatch: AsyncSequence, Sendable {
  /// One change of a mockup.
  public typealias Element = MockupEvent

  let stub: MockupServiceClient
  let options: CallOptions
  let retry: RetryPolicy
  let user: UUID
  let token: String?
  let startsWithCurrent: Bool

  /// Creates an iterator, which starts a watch of its own at its first element.
  public func makeAsyncIterator() -> Iterator {
    Iterator(self)
  }

  /// The iterator of a watch, which ends the watch when it is released.
  public struct Iterator: AsyncIteratorProtocol {
    private let watch: MockupWatch
    private var running: RunningWatch?

    init(_ watch: MockupWatch) {
      self.watch = watch
    }

    /// Waits for the next change.
    ///
    /// - Returns: The change, or `nil` after an error or if the task was cancelled.
    /// - Throws: `RPCError` if the watch failed and a restart cannot help.
    public mutating func next() async throws -> MockupEvent? {
      let running = running ?? RunningWatch(watch)
      self.running = running
      return try await running.next()
    }
  }
}

/// The task that reads a watch's stream, which is cancelled when its iterator is released.
private final class RunningWatch: Sendable {
  // Without a buffer: the task waits until the reader has taken an event.
  private let channel = AsyncThrowingChannel<MockupEvent, any Error>()
  private let task: Task<Void, Never>

  init(_ watch: MockupWatch) {
    task = Task { [channel] in
      do {
        try await watch.run { event in await channel.send(event) }
        channel.finish()
      } catch {
        channel.fail(error)
      }
    }
  }

  deinit {
    task.cancel()
  }

  func next() async throws -> MockupEvent? {
    var iterator = channel.makeAsyncIterator()
    return try await iterator.next()
  }
}

extension MockupWatch {
  /// Passes every change to a closure, until the task is cancelled.
  ///
  /// - Throws: `RPCError` if the watch failed and a restart cannot help.
  func run(_ receive: (MockupEvent) async -> Void) async throws {
    var token = token
    var hasBegun = false
    var attempt = 0
    while !Task.isCancelled {
      attempt += 1
      var responseCount = 0
      do {
        try await stub.watchMockups(request(after: token), options: options) { responses in
          for try await response in responses {
            responseCount += 1
            // The first response has only the watch's starting point, so it counts as no progress.
            if responseCount > 1 { attempt = 1 }
            token = response.resumeToken
            let event = try MockupEvent(response)
            if event.change != .began || !hasBegun { await receive(event) }
            hasBegun = true
          }
        }
        throw RPCError(code: .unavailable, message: "the watch has ended")
      } catch let error as RPCError {
        if Task.isCancelled { return }
        guard
          let pause = pause(
            afterAttempt: attempt, error, hasBegun, hadResponses: responseCount > 0)
        else { throw error }
        try? await Task.sleep(for: pause)
      }
    }
  }

  private func request(after token: String?) -> WatchMockupsRequest {
    WatchMockupsRequest(
      userID: user.wireText, resumeToken: token ?? "",
      sendCurrent: token == nil && startsWithCurrent)
  }

  /// Returns the pause before the watch is restarted, or `nil` if it is not restarted.
  private func pause(
    afterAttempt attempt: Int, _ error: RPCError, _ hasBegun: Bool, hadResponses: Bool
  ) -> Duration? {
    var policy = retry
    if hasBegun, retry.attempts > 1 { policy.attempts = .max }
    // If the reader was too slow, the watch can continue after the last event that was read. If the
    // first response is too large, it would be too large again.
    let fellBehind = error.code == .resourceExhausted && hadResponses
    let error = fellBehind ? RPCError(code: .unavailable, message: error.message) : error
    return policy.pause(afterAttempt: attempt, error)
  }
}

extension MockupEvent {
  fileprivate init(_ response: WatchMockupsResponse) throws(RPCError) {
    resumeToken = response.resumeToken
    if let mockup = response.mockup {
      change = .changed(mockup)
    } else if response.deletedMockupID.isEmpty {
      change = .began
    } else if let id = UUID(wireText: response.deletedMockupID) {
      change = .deleted(id)
    } else {
      throw RPCError(code: .internalError, message: "the response has an invalid deleted_mockup_id")
    }
  }
}
