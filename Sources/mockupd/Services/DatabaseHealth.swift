internal import Logging
internal import MockupDatabase
internal import NIOConcurrencyHelpers
internal import Postgres
internal import ServiceLifecycle
internal import TTRPCServices

/// Checks twice a second that the database is reachable, accepts writes, and has this program's
/// schema.
///
/// The server serves calls only while the check succeeds. Otherwise the pool is suspended: calls in
/// flight end, and later calls are refused at once with the reason. The check has its own
/// connection, so that it does not wait behind other statements and is not ended with them.
///
/// While writes of calls wait for the database, or if the last check failed, the check also writes.
/// A commit that waits for a missing synchronous standby is found in this way, and a write that
/// waits for a lock is not taken for it.
///
/// Through a proxy database, the server serves while one partition completes writes; calls for
/// users of the others wait or fail. The check also writes in all partitions every few seconds, and
/// logs which partitions do not complete writes.
struct DatabaseHealth: ServiceLifecycle.Service, CustomStringConvertible {
  let pool: Pool
  let health: HealthService
  /// The services that need the database.
  let services: [String]
  let logger: Logger
  let readiness: DatabaseReadiness
  /// The time that a write of a call may wait before the check writes, too.
  let writeWait: Duration
  private let connection: Connection
  private let check: DatabaseCheck
  private let partitionWrites: PartitionWrites
  private let hasOtherHosts: Bool
  /// True while the check waits for its write.
  private let isWriting = NIOLockedValueBox(false)

  init(
    database: PostgresConfiguration, pool: Pool, health: HealthService, services: [String],
    readiness: DatabaseReadiness, writeWait: Duration, logger: Logger
  ) throws {
    var configuration = database
    configuration.applicationName += " health"
    self.pool = pool
    self.health = health
    self.services = services
    self.readiness = readiness
    self.writeWait = writeWait
    self.logger = logger
    hasOtherHosts = configuration.hostCount > 1
    connection = try Connection(configuration: configuration)
    check = try DatabaseCheck(configuration: configuration)
    partitionWrites = PartitionWrites(configuration: configuration, check: check)
  }

  var description: String { "database health" }

  private enum Event {
    case timer
    case checked(DatabaseCondition)
  }

  func run() async throws {
    let (events, sink) = AsyncStream<Event>.makeStream()
    connection.start()
    sink.yield(.timer)
    await cancelWhenGracefulShutdown {
      var monitor = DatabaseMonitor()
      var timer: Task<Void, Never>?
      defer { timer?.cancel() }
      for await event in events {
        let now = ContinuousClock.now
        let action =
          switch event {
          case .timer: monitor.timerFired(now: now)
          case .checked(let condition): monitor.checked(condition, now: now)
          }
        switch action {
        case .check(let last):
          // The task is not awaited, because a database that hangs never answers.
          Task { sink.yield(.checked(await condition(after: last))) }
        case .report(.hanging):
          report(isWriting.withLockedValue(\.self) ? .writesHanging : .hanging)
          // The host may have stopped without closing its connections. Another one may be the
          // primary by now.
          if hasOtherHosts, connection.isConnected {
            connection.suspend(because: PostgresError(.connectionUnavailable, "reconnecting"))
            connection.resume()
          }
        case .report(let condition):
          report(condition)
        case nil:
          break
        }
        timer?.cancel()
        timer = monitor.timer.map { time in
          Task {
            guard (try? await Task.sleep(until: time, clock: .continuous)) != nil else { return }
            sink.yield(.timer)
          }
        }
      }
    }
    setStatus(isServing: false)
    await connection.close()
    await partitionWrites.close()
  }

  /// Checks the database, and returns its condition.
  private func condition(after last: DatabaseCondition?) async -> DatabaseCondition {
    if case .readOnly = last {
      // A session keeps the default_transaction_read_only that it started with. A new session gets
      // the current value.
      connection.suspend(because: PostgresError(.connectionUnavailable, "reconnecting"))
      connection.resume()
    }
    isWriting.withLockedValue { $0 = false }
    defer { reportPartitions() }
    let isWriteDue = last != .ready || (pool.oldestWriteAge ?? .zero) >= writeWait
    var condition = await check.condition(on: connection)
    if condition == .ready, isWriteDue {
      isWriting.withLockedValue { $0 = true }
      condition = await write()
    } else if condition == .ready, partitionWrites.isDue {
      // Only for the condition of each partition.
      _ = await write()
    }
    isWriting.withLockedValue { $0 = false }
    // The check may be refused a connection while the pool still has some.
    if case .unreachable = condition, pool.isConnected { return await check.condition(on: pool) }
    guard condition == .ready, !pool.isConnected else { return condition }
    pool.resume()
    do throws(PostgresError) {
      // The wait must end before the monitor takes it for a database that hangs.
      try await pool.waitUntilConnected(timeout: DatabaseMonitor.checkTimeout / 2)
      return .ready
    } catch {
      return .unreachable(error.message)
    }
  }

  /// Tests whether commits complete, in one partition at least.
  private func write() async -> DatabaseCondition {
    let partitions: Int
    do throws(PostgresError) {
      partitions = try await pool.learnPartitions(from: connection)
    } catch {
      return .unreachable(error.report)
    }
    guard partitions > 1 else { return await check.write(in: 0, on: connection) }
    return await partitionWrites.condition(of: partitions)
  }

  /// Logs the partitions that have failed or recovered.
  private func reportPartitions() {
    let conditions = partitionWrites.conditions
    let reported = readiness.partitions
    for (number, condition) in conditions.enumerated() {
      let last = number < reported.count ? reported[number] : .ready
      guard (condition == .ready) != (last == .ready) else { continue }
      let partition: Logger.Metadata = ["partition": "\(number)"]
      if condition == .ready {
        logger.notice("partition completes writes again", metadata: partition)
      } else {
        logger.warning(
          "partition does not complete writes",
          metadata: partition.merging(["reason": "\(condition.report)"]) { $1 })
      }
    }
    readiness.update(partitions: conditions)
  }

  private func report(_ condition: DatabaseCondition) {
    switch condition {
    case .ready:
      pool.resume()
    case .unreachable:
      // The pool reconnects by itself.
      break
    case .hanging, .writesHanging, .readOnly, .wrongSchema, .refused:
      pool.suspend(
        because: PostgresError(
          .connectionUnavailable, condition.message ?? "", detail: condition.detail))
    }
    if condition == .ready {
      logger.notice("serving")
    } else {
      logger.warning("not serving", metadata: ["reason": "\(condition.report)"])
    }
    setStatus(isServing: condition == .ready)
    readiness.update(condition)
  }

  private func setStatus(isServing: Bool) {
    for service in services + [""] {
      health.setStatus(isServing ? .serving : .notServing, of: service)
    }
  }
}

/// The logic that decides when to check the database and which conditions to report, without I/O.
struct DatabaseMonitor {
  /// The time after which a database that has not answered a check counts as hanging.
  ///
  /// A failure is noticed after the sum of `checkTimeout` and `interval` at the latest.
  static let checkTimeout: Duration = .seconds(2)
  /// The pause between two checks.
  static let interval: Duration = .milliseconds(500)

  enum Action: Equatable {
    /// Check the database; the value is its last known condition.
    case check(after: DatabaseCondition?)
    /// Report a condition that differs from the last one.
    case report(DatabaseCondition)
  }

  private var checkStart: ContinuousClock.Instant?
  private var nextCheck: ContinuousClock.Instant?
  private var reported: DatabaseCondition?

  /// The time to call ``timerFired(now:)``; `nil` while only the result of a check can change
  /// anything.
  var timer: ContinuousClock.Instant? {
    guard let checkStart else { return nextCheck }
    return reported == .hanging ? nil : checkStart + Self.checkTimeout
  }

  /// Handles the timer, and returns the action to take.
  mutating func timerFired(now: ContinuousClock.Instant) -> Action? {
    if let checkStart {
      return now >= checkStart + Self.checkTimeout ? report(.hanging) : nil
    }
    if let nextCheck, now < nextCheck { return nil }
    nextCheck = nil
    checkStart = now
    return .check(after: reported)
  }

  /// Handles the result of a check, and returns the action to take.
  mutating func checked(_ condition: DatabaseCondition, now: ContinuousClock.Instant) -> Action? {
    checkStart = nil
    nextCheck = now + Self.interval
    return report(condition)
  }

  private mutating func report(_ condition: DatabaseCondition) -> Action? {
    guard condition != reported else { return nil }
    reported = condition
    return .report(condition)
  }
}

extension DatabaseCondition {
  /// Message and detail on one line, for the log.
  var report: String {
    [message, detail].compactMap(\.self).joined(separator: ": ").onOneLine
  }
}

/// The last known condition of the database, shared by the services that wait for it or report it.
final class DatabaseReadiness: Sendable {
  /// The changes of the condition, for a single reader.
  let changes: AsyncStream<DatabaseCondition>
  private let continuation: AsyncStream<DatabaseCondition>.Continuation
  private let current = NIOLockedValueBox<DatabaseCondition?>(nil)
  private let currentPartitions = NIOLockedValueBox<[DatabaseCondition]>([])

  init() {
    (changes, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// The condition that the last check found; `nil` before the first check.
  var condition: DatabaseCondition? { current.withLockedValue(\.self) }

  /// The condition of each partition of a proxy database, in order; otherwise empty.
  var partitions: [DatabaseCondition] { currentPartitions.withLockedValue(\.self) }

  func update(partitions: [DatabaseCondition]) {
    currentPartitions.withLockedValue { $0 = partitions }
  }

  func update(_ condition: DatabaseCondition) {
    current.withLockedValue { $0 = condition }
    continuation.yield(condition)
  }
}
