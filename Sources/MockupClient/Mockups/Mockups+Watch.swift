public import FoundationEssentials

extension Mockups {
  /// Watches the changes of a user's mockups.
  ///
  /// The watch starts when it is iterated over. The client's timeout does not apply to it.
  ///
  /// - Parameters:
  ///   - user: The owner of the mockups. The iteration fails with NOT_FOUND if the user is unknown.
  ///   - token: The ``MockupEvent/resumeToken`` of an earlier watch of the same user, after which
  ///     to continue; `nil` starts with the next change.
  ///   - startsWithCurrent: If `true`, the watch starts with the current state of every mockup.
  ///     Ignored if a token is given.
  public func watch(
    of user: UUID, from token: String? = nil, startsWithCurrent: Bool = false
  ) -> MockupWatch {
    var options = options
    options.timeout = nil
    return MockupWatch(
      stub: stub, options: options, retry: retry, user: user, token: token,
      startsWithCurrent: startsWithCurrent)
  }
}
