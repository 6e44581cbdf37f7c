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

extension Mockups {
  /// Watches the changes of a user's mockups.
  ///
  /// The watch starts when it is iterated over. The client's timeout does not apply to it. The
  /// latest state of every mockup is delivered. If a mockup changes several times in quick
  /// succession, only the last change may be delivered.
  ///
  /// - Parameters:
  ///   - user: The owner of the mockups. The iteration fails with NOT_FOUND if the user is unknown.
  ///   - token: The ``MockupEvent/resumeToken`` of an earlier watch of the same user, after which
  ///     to continue; `nil` starts with the next change.
  ///   - startsWithCurrent: If `true`, the watch starts with the current state of every mockup.
  ///     Ignored if a token is given.
  public func watch(
    of user: UUID, from token: String? = nil, startsWithCurrent: Bool = false
  ) -> Watch<MockupEvent> {
    let options = options.endless
    let stream = RestartingStream<WatchMockupsResponse>(retry: retry, token: { $0.resumeToken }) {
      token, receive in
      let request = WatchMockupsRequest(
        userID: user.wireText, resumeToken: token ?? "",
        sendCurrent: token == nil && startsWithCurrent)
      try await stub.watchMockups(request, options: options) { responses in
        for try await response in responses { try await receive(response) }
      }
    }
    return Watch(stream, after: token) { try MockupEvent($0) }
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
