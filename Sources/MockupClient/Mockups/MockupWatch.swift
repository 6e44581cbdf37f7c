public import FoundationEssentials
public import MockupAPI
internal import TTRPC

/// That a user's mockup has changed.
public struct MockupEvent: Sendable, Hashable {
  public enum Change: Sendable, Hashable {
    /// The watch has begun: what changes from now on arrives. Once, before all others.
    case began
    /// What a mockup is now.
    case changed(MockupAPI.Mockup)
    /// The mockup of this id was deleted.
    case deleted(UUID)
  }

  public let change: Change
  /// Where another watch goes on after this change.
  public let resumeToken: String
}

/// A user's mockups as they change, for as long as they are iterated over.
///
/// Every mockup's latest state arrives; of changes that follow fast on each other only the last may.
/// Where the server or its database goes away, or the reader was so slow that too much waited for it,
/// the watch begins again by itself after what was read last: as often as it takes, with pauses as the
/// client's ``RetryPolicy`` has them. Until it has begun for the first time it gives up as other calls
/// do; with ``RetryPolicy/never``, later too.
public struct MockupWatch: AsyncSequence, Sendable {
  public typealias Element = MockupEvent

  let stub: MockupServiceClient
  let options: CallOptions
  let retry: RetryPolicy
  let user: UUID
  let token: String?
  let startsWithCurrent: Bool

  public func makeAsyncIterator() -> Iterator {
    Iterator(self)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let watch: MockupWatch
    private var running: RunningWatch?

    init(_ watch: MockupWatch) {
      self.watch = watch
    }

    /// The next change. Nothing comes after an error, or where the task was cancelled.
    ///
    /// - Throws: ``RPCError`` for what another attempt does not mend.
    public mutating func next() async throws -> MockupEvent? {
      let running = running ?? RunningWatch(watch)
      self.running = running
      return try await running.relay.next()
    }
  }
}

/// The task that reads a watch, which ends with the iterator that it reads for.
private final class RunningWatch: Sendable {
  let relay = Relay<MockupEvent>()
  private let task: Task<Void, Never>

  init(_ watch: MockupWatch) {
    task = Task { [relay] in
      do {
        try await watch.run { event in await relay.send(event) }
        await relay.finish(nil)
      } catch {
        await relay.finish(error)
      }
    }
  }

  deinit {
    task.cancel()
  }
}

extension MockupWatch {
  /// Hands on every change, until the task is cancelled.
  ///
  /// - Throws: ``RPCError`` for what another attempt does not mend.
  func run(_ receive: (MockupEvent) async -> Void) async throws {
    var token = token
    var hasBegun = false
    var attempt = 0
    while !Task.isCancelled {
      attempt += 1
      var answers = 0
      do {
        try await stub.watchMockups(request(after: token), options: options) { responses in
          for try await response in responses {
            answers += 1
            // The first says where the watch begins, and is no progress.
            if answers > 1 { attempt = 1 }
            token = response.resumeToken
            let event = try MockupEvent(response)
            if event.change != .began || !hasBegun { await receive(event) }
            hasBegun = true
          }
        }
        throw RPCError(code: .unavailable, message: "the watch has ended")
      } catch let error as RPCError {
        if Task.isCancelled { return }
        guard let pause = pause(afterAttempt: attempt, error, hasBegun, hadAnswers: answers > 0)
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

  /// How long to wait before the watch is begun again; nothing where it is not.
  private func pause(
    afterAttempt attempt: Int, _ error: RPCError, _ hasBegun: Bool, hadAnswers: Bool
  ) -> Duration? {
    var policy = retry
    if hasBegun, retry.attempts > 1 { policy.attempts = .max }
    // What fell behind goes on after what it has read; an answer that does not fit never will.
    let fellBehind = error.code == .resourceExhausted && hadAnswers
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
      throw RPCError(code: .internalError, message: "a deleted mockup's id is none")
    }
  }
}
