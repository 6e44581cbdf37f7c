public import MockupAPI
public import MockupStore
internal import TTRPC

/// Answers `mockups.v1.MockupService`. What becomes of mockups, workers, their changes as they happen, and
/// their performance have files of their own.
public struct MockupsService: MockupServiceHandler {
  /// So many watchers read at a time: a rush of them leaves the database to others as well.
  private static let readingPlaces = 32

  let store: MockupsStore
  let feed: MockupFeed
  let watchers: MockupWatchers
  let readers = Places(Self.readingPlaces)
  let performance: PerformanceStore
  let limit: ResponseLimit

  public init(
    store: MockupsStore, feed: MockupFeed, watchers: MockupWatchers, performance: PerformanceStore,
    limit: ResponseLimit = ResponseLimit()
  ) {
    self.store = store
    self.feed = feed
    self.watchers = watchers
    self.performance = performance
    self.limit = limit
  }

  func answer<Value>(
    _ context: ServerContext, _ work: () async throws(MockupError) -> Value
  ) async throws(RPCError) -> Value {
    do {
      return try await work()
    } catch {
      throw RPCError(error, logger: context.logger)
    }
  }
}
