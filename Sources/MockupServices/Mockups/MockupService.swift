public import MockupAPI
public import MockupDatabase
internal import Postgres
internal import TTRPC

/// The implementation of `mockups.v1.MockupService`.
///
/// The methods are grouped into files: the lifecycle of mockups, workers, watches and performance.
public struct MockupService: MockupServiceHandler {
  /// The maximum number of watchers that read from one database at the same time.
  ///
  /// The limit leaves capacity for other calls when many watchers are woken at once.
  private static let maxConcurrentReads = 32

  let store: MockupStore
  let feed: MockupFeed
  let watchers: Watchers
  /// The limit of each partition.
  let readers = (0..<Pool.maximumPartitions).map { _ in
    AsyncSemaphore(Self.maxConcurrentReads)
  }
  let performance: PerformanceStore
  let limit: ResponseLimit

  /// Creates the service.
  ///
  /// - Parameters:
  ///   - store: The store of mockups.
  ///   - feed: The feed of changes that watches read.
  ///   - watchers: The watches of the server, which the program wakes when mockups change.
  ///   - performance: The store of pins and impressions.
  ///   - limit: The maximum size of a response.
  public init(
    store: MockupStore, feed: MockupFeed, watchers: Watchers, performance: PerformanceStore,
    limit: ResponseLimit = ResponseLimit()
  ) {
    self.store = store
    self.feed = feed
    self.watchers = watchers
    self.performance = performance
    self.limit = limit
  }
}
