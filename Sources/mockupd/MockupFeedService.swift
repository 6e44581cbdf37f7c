internal import FoundationEssentials
internal import Logging
internal import MockupService
internal import MockupStore
internal import Postgres
internal import ServiceLifecycle

/// Wakes who watches mockups: one connection listens for all of them.
///
/// A watcher that nobody wakes looks by itself now and then, so that a notification that went astray
/// is late and not lost.
struct MockupFeedService: ServiceLifecycle.Service, CustomStringConvertible {
  /// How long a watcher goes without a look at most.
  static let longestSleep = 60

  let listener: NotificationListener
  let watchers: MockupWatchers

  init(
    database: PostgresConfiguration, watchers: MockupWatchers, logger: Logger
  ) throws(PostgresError) {
    var configuration = database
    configuration.applicationName += " listener"
    self.watchers = watchers
    listener = try NotificationListener(
      configuration: configuration, channels: [MockupFeed.channel]
    ) { event in
      logger.report(event)
    } onEvent: { event in
      switch event {
      case .listening: watchers.wakeAll()
      case .notification(let sent):
        if let userID = UUID(uuidString: sent.payload) { watchers.wake(userID) }
      }
    }
  }

  var description: String { "mockup feed" }

  func run() async throws {
    await withTaskGroup { group in
      group.addTask { await listener.run() }
      group.addTask {
        // Not all at once.
        for second in 0... {
          guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
          watchers.wake(part: second % Self.longestSleep, of: Self.longestSleep)
        }
      }
      await withGracefulShutdownHandler {
        await group.next()
      } onGracefulShutdown: {
        listener.shutdown()
      }
      group.cancelAll()
    }
  }
}
