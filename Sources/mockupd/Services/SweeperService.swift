internal import CoreMetrics
internal import FoundationEssentials
internal import Logging
internal import MockupDatabase
internal import Postgres
internal import ServiceLifecycle

/// The service that expires due reservations and leases every few seconds; see ``SweepStore``.
///
/// Nothing depends on when it runs, so it limits its load: it sweeps one batch at a time, each in
/// its own transaction. Its interval is random, so that the sweepers of several servers seldom run
/// at the same time.
struct SweeperService: ServiceLifecycle.Service, CustomStringConvertible {
  /// A kind of record that expires, with its sweep and its metrics.
  struct Kind: Sendable {
    let name: String
    /// Expires the batch that follows the cursor.
    let sweep: @Sendable (_ cursor: Date?) async throws(PostgresError) -> SweepBatch

    private let swept: Counter
    private let errors: Counter
    private let duration: Timer

    init(
      _ name: String, _ sweep: @escaping @Sendable (Date?) async throws(PostgresError) -> SweepBatch
    ) {
      self.name = name
      self.sweep = sweep
      let dimensions = [("kind", name)]
      swept = Counter(label: "mockupd_swept_total", dimensions: dimensions)
      errors = Counter(label: "mockupd_sweep_errors_total", dimensions: dimensions)
      duration = Timer(label: "mockupd_sweep_duration_seconds", dimensions: dimensions)
    }
  }

  let kinds: [Kind]
  let interval: Duration
  let logger: Logger

  var description: String { "sweeper" }

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      var failing: Set<String> = []
      while true {
        try await Task.sleep(for: pause)
        for kind in kinds {
          do throws(PostgresError) {
            try await kind.sweepAll(logger)
            if failing.remove(kind.name) != nil {
              logger.notice("sweeps succeed again", metadata: ["kind": "\(kind.name)"])
            }
          } catch {
            try Task.checkCancellation()
            // Only the first of several failures is logged: an unavailable database is logged
            // elsewhere too.
            if failing.insert(kind.name).inserted {
              logger.warning(
                "sweep failed; retrying at the next interval",
                metadata: ["kind": "\(kind.name)", "error": "\(error)"])
            }
          }
        }
      }
    }
  }

  /// The interval, randomized by up to a quarter, so that servers that start together drift apart.
  private var pause: Duration { interval * Double.random(in: 0.75...1.25) }
}

extension SweeperService {
  init(pool: Pool, _ settings: Settings, interval: Duration, logger: Logger) {
    let store = SweepStore(pool: pool)
    let batch = settings.sweepBatch
    self.init(
      kinds: [
        Kind("reservations") { cursor throws(PostgresError) in
          try await store.sweepReservations(after: cursor, limit: batch)
        },
        Kind("leases") { _ throws(PostgresError) in
          try await store.sweepLeases(limit: batch)
        },
      ],
      interval: interval, logger: logger)
  }
}

extension SweeperService.Kind {
  /// Expires batches until nothing is left to examine.
  ///
  /// If a batch fails, the batches before it stay committed.
  fileprivate func sweepAll(_ logger: Logger) async throws(PostgresError) {
    let start = ContinuousClock.now
    var total = 0
    var cursor: Date?
    do throws(PostgresError) {
      while !Task.isCancelled {
        let batch = try await sweep(cursor)
        guard batch.examined > 0 else { break }
        total += batch.expired
        swept.increment(by: batch.expired)
        cursor = batch.cursor
      }
    } catch {
      if !Task.isCancelled { errors.increment() }
      throw error
    }
    let time = start.duration(to: .now)
    duration.recordNanoseconds(Int64(time / .nanoseconds(1)))
    if total > 0 {
      logger.info(
        "swept", metadata: ["kind": "\(name)", "count": "\(total)", "time": "\(time)"])
    }
  }
}
