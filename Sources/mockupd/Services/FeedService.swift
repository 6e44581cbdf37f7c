internal import FoundationEssentials
internal import Logging
internal import MockupServices
internal import MockupDatabase
internal import NIOConcurrencyHelpers
internal import Postgres
internal import ServiceLifecycle

/// The service that wakes watches when mockups change or alerts are written, with one listening
/// connection for all watches.
///
/// Through a proxy database, which does not pass on notifications, it listens in each partition
/// (``PartitionListeners``).
///
/// Each watch is also woken at regular intervals, so that a lost notification only delays it. The
/// interval is shorter behind a connection pooler: in transaction pooling mode, a pooler drops
/// notifications without an error.
struct FeedService: ServiceLifecycle.Service, CustomStringConvertible {
  /// The interval in seconds at which each watch is woken without a notification.
  static let wakeInterval = 60
  /// The interval in seconds behind a connection pooler.
  static let wakeIntervalBehindPooler = 5

  let listener: NotificationListener
  let watchers: Watchers
  private let partitions: PartitionListeners
  private let isBehindPooler = NIOLockedValueBox(false)

  init(
    database: PostgresConfiguration, watchers: Watchers, connections: ConnectionLog,
    logger: Logger
  ) throws(PostgresError) {
    var configuration = database
    configuration.applicationName += " listener"
    self.watchers = watchers
    let wake: @Sendable (NotificationListener.Event) -> Void = { event in
      switch event {
      case .listening: watchers.wakeAll()
      case .notification(let sent) where sent.channel == AlertFeed.channel:
        watchers.wake(.alerts)
      case .notification(let sent):
        if let userID = UUID(uuidString: sent.payload) { watchers.wake(.mockups(of: userID)) }
      }
    }
    let (connected, sink) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    listener = try NotificationListener(
      configuration: configuration, channels: Self.channels
    ) { [isBehindPooler] event in
      connections.report(event)
      guard case .connected(let throughPooler) = event else { return }
      isBehindPooler.withLockedValue { $0 = throughPooler }
      if throughPooler {
        logger.warning(
          """
          the connection that listens for changes goes through a connection pooler: in \
          transaction pooling mode, watches see changes only every \
          \(Self.wakeIntervalBehindPooler) seconds; set database.listenerUrl to a direct connection
          """)
      }
    } onEvent: { event in
      if case .listening = event { sink.yield() }
      wake(event)
    }
    partitions = PartitionListeners(
      configuration: configuration, channels: Self.channels, proxy: listener.connection,
      connected: connected, sink: sink, logger: logger, onEvent: wake)
  }

  private static let channels = [MockupFeed.channel, AlertFeed.channel]

  var description: String { "feeds" }

  func run() async throws {
    await withTaskGroup { group in
      group.addTask { await listener.run() }
      group.addTask { await partitions.run() }
      group.addTask {
        // Each second wakes one part of the watches, which spreads the load.
        for second in 0... {
          guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
          let period =
            isBehindPooler.withLockedValue(\.self)
            ? Self.wakeIntervalBehindPooler : Self.wakeInterval
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
