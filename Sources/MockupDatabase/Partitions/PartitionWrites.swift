internal import NIOConcurrencyHelpers
public import Postgres

/// The test of writes in all partitions of a proxy database at the same time.
///
/// Each partition has a connection to the proxy of its own, so that the test of a partition that
/// hangs does not hold up those of the others.
public final class PartitionWrites: Sendable {
  private struct State {
    var connections: [Connection] = []
    /// The start of each test that has not ended, by partition.
    var pending: [Int: ContinuousClock.Instant] = [:]
    /// The result of the last test that has ended, by partition.
    var results: [Int: DatabaseCondition] = [:]
    /// The number of tests that have failed one after the other, by partition.
    ///
    /// One that has hung counts as two.
    var failures: [Int: Int] = [:]
    var lastStart: ContinuousClock.Instant?
  }

  private let configuration: PostgresConfiguration
  private let check: DatabaseCheck
  /// The time that a call waits for tests, less than a check of health may take.
  private let limit: Duration
  /// The time after which a test that has not ended shows that its partition hangs.
  private let hangLimit: Duration = .seconds(2)
  /// The time after which all partitions are tested again.
  private let interval: Duration
  private let state = NIOLockedValueBox(State())

  /// Creates a test, which connects when it is first needed.
  public init(
    configuration: PostgresConfiguration, check: DatabaseCheck, limit: Duration = .seconds(1),
    interval: Duration = .seconds(5)
  ) {
    self.configuration = configuration
    self.check = check
    self.limit = limit
    self.interval = interval
  }

  /// The condition of each partition, in order; empty before the first test.
  ///
  /// A partition counts as ready until a test takes two seconds, or two tests have failed one after
  /// the other (the first may have failed because the proxy was restarted), and then until a test
  /// succeeds in less than two seconds.
  public var conditions: [DatabaseCondition] {
    let now = ContinuousClock.now
    return state.withLockedValue { state in
      state.connections.indices.map { number in
        if let start = state.pending[number], now - start >= hangLimit { return .writesHanging }
        guard state.failures[number, default: 0] > 1 else { return .ready }
        return state.results[number] ?? .ready
      }
    }
  }

  /// True if the partitions have been tested before, and the interval has passed since then or a
  /// single test has failed.
  public var isDue: Bool {
    state.withLockedValue { state in
      guard let start = state.lastStart else { return false }
      return .now - start >= interval
        || state.failures.contains { $0.value == 1 && state.pending[$0.key] == nil }
    }
  }

  /// Starts a test in each partition in which none is pending, and returns when one has succeeded.
  ///
  /// If none succeeds, it returns the condition of one of them when all have ended, or
  /// `writesHanging` after the time limit. The next call then tests again those that have ended.
  public func condition(of partitions: Int) async -> DatabaseCondition {
    let started: [(number: Int, connection: Connection)]
    do {
      started = try state.withLockedValue { state in
        for _ in state.connections.count..<max(partitions, state.connections.count) {
          let connection = try Connection(configuration: configuration)
          connection.start()
          state.connections.append(connection)
        }
        let numbers = (0..<partitions).filter { state.pending[$0] == nil }
        let now = ContinuousClock.now
        for number in numbers {
          state.pending[number] = now
          // If the proxy was restarted, the connection does not wait before it reconnects.
          if state.failures[number, default: 0] > 0 { state.connections[number].resume() }
        }
        state.lastStart = now
        return numbers.map { ($0, state.connections[$0]) }
      }
    } catch {
      return .unreachable("\(error)")
    }
    guard !started.isEmpty else { return .writesHanging }
    let first = FirstResult<DatabaseCondition>()
    let running = NIOLockedValueBox(started.count)
    for (number, connection) in started {
      Task {
        let condition = await check.write(in: number, on: connection)
        end(number, condition)
        let isLast = running.withLockedValue { running in
          running -= 1
          return running == 0
        }
        if condition == .ready || isLast { first.end(condition) }
      }
    }
    let timer = Task {
      if (try? await Task.sleep(for: limit)) != nil { first.end(.writesHanging) }
    }
    defer { timer.cancel() }
    return await first.value
  }

  /// Records the result of a partition's test.
  private func end(_ number: Int, _ condition: DatabaseCondition) {
    let now = ContinuousClock.now
    state.withLockedValue { state in
      let start = state.pending.removeValue(forKey: number) ?? now
      let hasHung = now - start >= hangLimit
      let condition = hasHung && condition == .ready ? .writesHanging : condition
      state.results[number] = condition
      state.failures[number] =
        condition == .ready ? 0 : state.failures[number, default: 0] + (hasHung ? 2 : 1)
    }
  }

  /// Closes the connections.
  public func close() async {
    for connection in state.withLockedValue(\.connections) { await connection.close() }
  }
}
