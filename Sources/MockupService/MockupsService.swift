public import MockupAPI

/// Answers `mockups.v1.MockupService`. What becomes of mockups, their changes as they happen, and their
/// performance have files of their own.
public struct MockupsService: MockupServiceHandler {
  public init() {}
}
