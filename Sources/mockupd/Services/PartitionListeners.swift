internal import Logging
internal import MockupDatabase
internal import Postgres

/// The listening connections to the partitions of a proxy database, one for each.
///
/// The addresses of the partitions are asked of the proxy at each connection and at regular
/// intervals, so that a partition that was moved is found although its old address still answers.
/// In a database that is not divided, there are no connections.
struct PartitionListeners: Sendable {
  /// The interval at which the addresses are asked again.
  static let interval: Duration = .seconds(10)

  let configuration: PostgresConfiguration
  let channels: [String]
  /// The connection to the proxy.
  let proxy: Connection
  /// Has an element after each connection to the proxy, and for each interval.
  let connected: AsyncStream<Void>
  let sink: AsyncStream<Void>.Continuation
  let logger: Logger
  let onEvent: @Sendable (NotificationListener.Event) -> Void

  private struct Listener {
    var url: String
    var listener: NotificationListener
  }

  /// Listens until the task is cancelled.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        while (try? await Task.sleep(for: Self.interval)) != nil { sink.yield() }
      }
      var listeners: [Listener] = []
      for await _ in connected {
        // The next element follows a failure soon.
        guard let urls = try? await Pool.partitionURLs(from: proxy) else { continue }
        for (number, url) in urls.enumerated() {
          let isKnown = number < listeners.count
          guard !isKnown || listeners[number].url != url else { continue }
          guard let listener = listener(number, url) else { break }
          if isKnown {
            logger.notice(
              "listening at another address", metadata: ["partition": "\(number)"])
            listeners[number].listener.shutdown()
            listeners[number] = Listener(url: url, listener: listener)
          } else {
            listeners.append(Listener(url: url, listener: listener))
          }
          group.addTask { await listener.run() }
        }
      }
      group.cancelAll()
    }
  }

  /// Creates the listener of a partition; nil if that is not possible now.
  private func listener(_ number: Int, _ url: String) -> NotificationListener? {
    var logger = logger
    logger[metadataKey: "partition"] = "\(number)"
    // Each partition has outages of its own.
    let connections = ConnectionLog(logger)
    do throws(PostgresError) {
      return try NotificationListener(
        configuration: configuration.replacingURL(url), channels: channels,
        onConnectionEvent: { connections.report($0) }, onEvent: onEvent)
    } catch {
      logger.warning("cannot listen", metadata: ["error": "\(error.report.onOneLine)"])
      return nil
    }
  }
}
