internal import FoundationEssentials
internal import Logging
internal import MockupService
internal import MockupStore
internal import NIOConcurrencyHelpers
internal import Postgres
internal import ServiceLifecycle

/// Wakes who watches mockups: one connection listens for all of them.
///
/// Each watcher is woken now and then without a notification as well, so that one that went astray is
/// late and not lost. Behind a pooler that is more often: one that pools transactions does not pass
/// notifications on, and does not say so.
struct MockupFeedService: ServiceLifecycle.Service, CustomStringConvertible {
  /// After how many seconds each watcher is woken without a notification.
  static let longestSleep = 60
  /// The same, behind a pooler.
  static let longestSleepBehindPooler = 5

  let listener: NotificationListener
  let watchers: MockupWatchers
  private let isBehindPooler = NIOLockedValueBox(false)

  init(
    database: PostgresConfiguration, watchers: MockupWatchers, logger: Logger
  ) throws(PostgresError) {
    var configuration = database
    configuration.applicationName += " listener"
    self.watchers = watchers
    listener = try NotificationListener(
      configuration: configuration, channels: [MockupFeed.channel]
    ) { [isBehindPooler] event in
      logger.report(event)
      guard case .connected(let throughPooler) = event else { return }
      isBehindPooler.withLockedValue { $0 = throughPooler }
      if throughPooler {
        logger.warning(
          """
          the connection that listens for changed mockups goes through a pooler: if it pools \
          transactions, watches learn of changes only every \(Self.longestSleepBehindPooler) \
          seconds; see database.listenerUrl
          """)
      }
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
          let period =
            isBehindPooler.withLockedValue(\.self)
            ? Self.longestSleepBehindPooler : Self.longestSleep
          watchers.wake(part: second % period, of: period)
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
