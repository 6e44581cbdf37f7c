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
    private var running: RunningStream<MockupEvent>?

    init(_ watch: MockupWatch) {
      self.watch = watch
    }

    /// Waits for the next change.
    ///
    /// - Returns: The change, or `nil` after an error or if the task was cancelled.
    /// - Throws: `RPCError` if the watch failed and a restart cannot help.
    public mutating func next() async throws -> MockupEvent? {
      let running =
        running
        ?? RunningStream { [watch] receive in
          try await watch.stream.run(after: watch.token) { response in
            await receive(try MockupEvent(response))
          }
        }
      self.running = running
      return try await running.next()
    }
  }
}

extension MockupWatch {
  fileprivate var stream: RestartingStream<WatchMockupsResponse> {
    RestartingStream(retry: retry, token: { $0.resumeToken }) { token, receive in
      let request = WatchMockupsRequest(
        userID: user.wireText, resumeToken: token ?? "",
        sendCurrent: token == nil && startsWithCurrent)
      try await stub.watchMockups(request, options: options) { responses in
        for try await response in responses { try await receive(response) }
      }
    }
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
