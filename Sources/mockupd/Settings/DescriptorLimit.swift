internal import Glibc
internal import Logging
internal import Postgres
internal import TTRPC

/// The process's limit of open files (`RLIMIT_NOFILE`), which include sockets.
enum DescriptorLimit {
  /// Raises the soft limit to the hard limit.
  ///
  /// Shells and service managers start programs with a soft limit of 1024 for the sake of
  /// select(2), which this program does not use.
  ///
  /// - Returns: The resulting limit.
  static func raise(logger: Logger) -> Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      logger.warning("cannot read the limit of open files")
      return .max
    }
    let before = limit.rlim_cur
    if before < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
        logger.info(
          "raised the limit of open files",
          metadata: ["from": "\(before)", "to": "\(limit.rlim_max)"])
      } else {
        limit.rlim_cur = before
        logger.warning("cannot raise the limit of open files from \(before)")
      }
    }
    return Int(clamping: limit.rlim_cur)
  }
}

extension Settings {
  /// The descriptors for everything except event loops and connections: standard streams, the
  /// socket, settings, random numbers, and name lookups.
  private static let otherDescriptors = 24
  /// The descriptors of an event loop: epoll, eventfd and timerfd.
  private static let descriptorsPerEventLoop = 3
  /// The descriptors of a database connection: its socket, its eventfd, and another socket while a
  /// cancel request is sent.
  private static let descriptorsPerDatabaseConnection = 3

  /// Lowers ``ServerLimits/connections`` to the number that the process has descriptors for.
  ///
  /// - Throws: ``SettingError`` if there are too few descriptors for one connection.
  mutating func fitConnectionsToDescriptors(logger: Logger) throws {
    let descriptors = DescriptorLimit.raise(logger: logger)
    // The notification listener, the health check and statements that wait for locks have their own
    // connections.
    let databaseConnections = database.connectionCount + 3
    let needed =
      Self.otherDescriptors + Self.descriptorsPerEventLoop * eventLoops
      + Self.descriptorsPerDatabaseConnection * databaseConnections + limits.reservedConnections
    let available = descriptors - needed
    guard limits.connections > available else { return }
    guard available > 0 else {
      throw SettingError(
        .maxConnections,
        "cannot be honored: the process may open only \(descriptors) files and needs \(needed) of "
          + "them for other purposes; raise the hard limit (LimitNOFILE)")
    }
    logger.warning(
      """
      limits.maxConnections is \(limits.connections), but the process may open only \(descriptors) \
      files: at most \(available) connections are accepted; raise the hard limit (LimitNOFILE)
      """)
    limits.connections = available
    userBudget.connections = min(userBudget.connections, Self.userShare(of: available))
  }
}
