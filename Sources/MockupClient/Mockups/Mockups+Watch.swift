public import FoundationEssentials

extension Mockups {
  /// A user's mockups as they change.
  ///
  /// - Parameters:
  ///   - token: The ``MockupEvent/resumeToken`` after which to go on, from whichever watch of the
  ///     user's; `nil`: from now.
  ///   - startsWithCurrent: Begin with every mockup as it stands now. Has no meaning with a token.
  public func watch(
    of user: UUID, from token: String? = nil, startsWithCurrent: Bool = false
  ) -> MockupWatch {
    var options = options
    // It has no end.
    options.timeout = nil
    return MockupWatch(
      stub: stub, options: options, retry: retry, user: user, token: token,
      startsWithCurrent: startsWithCurrent)
  }
}
