internal import Glibc
internal import Logging
internal import Postgres
internal import TTRPC

/// The process's limit of open files (`RLIMIT_NOFILE`), sockets included.
enum DescriptorLimit {
  /// Raises the soft limit to the hard one. Returns the limit that holds then.
  ///
  /// Shells and services start with a soft limit of 1024, for programs that use select(2). This one does not.
  static func raise(logger: Logger) -> Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      logger.warning("the limit of open files is not known")
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
        logger.warning("the limit of open files stays at \(before)")
      }
    }
    return Int(clamping: limit.rlim_cur)
  }
}

extension Settings {
  /// Descriptors for everything but event loops and connections: standard streams, the socket, settings,
  /// random numbers, name lookups.
  private static let otherDescriptors = 24
  /// The descriptors of an event loop: its poll, its wakeup, its timer.
  private static let descriptorsPerEventLoop = 3
  /// What a connection to the database has: its socket and its wakeup; and one more socket while a cancel
  /// request is sent.
  private static let descriptorsPerDatabaseConnection = 3

  /// Lowers ``ServerLimits/connections`` to what the process has descriptors for.
  ///
  /// - Throws: ``SettingError`` where there are not even enough for one connection.
  mutating func fitConnectionsToDescriptors(logger: Logger) throws {
    let descriptors = DescriptorLimit.raise(logger: logger)
    // Beside the pool there are the listener and the health check.
    let databaseConnections = database.connectionCount + 2
    let needed =
      Self.otherDescriptors + Self.descriptorsPerEventLoop * eventLoops
      + Self.descriptorsPerDatabaseConnection * databaseConnections + limits.reservedConnections
    let available = descriptors - needed
    guard limits.connections > available else { return }
    guard available > 0 else {
      throw SettingError(
        .maxConnections,
        "needs descriptors, but the process may have only \(descriptors) open files, of which it "
          + "needs \(needed) for other things; raise the hard limit (LimitNOFILE)")
    }
    logger.warning(
      """
      limits.maxConnections is \(limits.connections), but the process may have only \(descriptors) open \
      files: at most \(available) connections are accepted; raise the hard limit (LimitNOFILE)
      """)
    limits.connections = available
    userBudget.connections = min(userBudget.connections, Self.userShare(of: available))
  }
}
