public import MockupAPI
public import MockupStore

/// Answers `mockups.v1.MockupService`. What becomes of mockups, their changes as they happen, and their
/// performance have files of their own.
public struct MockupsService: MockupServiceHandler {
  /// So many watchers read at a time: a rush of them leaves the database to others as well.
  private static let readingPlaces = 32

  let feed: MockupFeed
  let watchers: MockupWatchers
  let readers = Places(Self.readingPlaces)

  public init(feed: MockupFeed, watchers: MockupWatchers) {
    self.feed = feed
    self.watchers = watchers
  }
}
