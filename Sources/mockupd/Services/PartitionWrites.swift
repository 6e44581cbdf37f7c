internal import MockupDatabase
internal import NIOConcurrencyHelpers
internal import Postgres

/// The test of writes in all partitions of a proxy database at the same time.
///
/// Each partition has a connection to the proxy of its own, so that the test of a partition that
/// hangs does not hold up those of the others.
final class PartitionWrites: Sendable {
  private struct State {
    var connections: [Connection] = []
    /// The partitions whose tests have not ended.
    var pending: Set<Int> = []
  }

  private let configuration: PostgresConfiguration
  private let check: DatabaseCheck
  /// The time that a call waits for tests, less than a check of health may take.
  private let limit: Duration
  private let state = NIOLockedValueBox(State())

  /// Creates a test, which connects when it is first needed.
  init(
    configuration: PostgresConfiguration, check: DatabaseCheck, limit: Duration = .seconds(1)
  ) {
    self.configuration = configuration
    self.check = check
    self.limit = limit
  }

  /// Starts a test in each partition in which none is pending, and returns when one has succeeded.
  ///
  /// If none succeeds, it returns the condition of one of them when all have ended, or
  /// `writesHanging` after the time limit. The next call then tests again those that have ended.
  func condition(of partitions: Int) async -> DatabaseCondition {
    let started: [(number: Int, connection: Connection)]
    do {
      started = try state.withLockedValue { state in
        for _ in state.connections.count..<max(partitions, state.connections.count) {
          let connection = try Connection(configuration: configuration)
          connection.start()
          state.connections.append(connection)
        }
        let numbers = (0..<partitions).filter { !state.pending.contains($0) }
        state.pending.formUnion(numbers)
        return numbers.map { ($0, state.connections[$0]) }
      }
    } catch {
      return .unreachable("\(error)")
    }
    guard !started.isEmpty else { return .writesHanging }
    let round = Round(started.count)
    for (number, connection) in started {
      Task {
        let condition = await check.write(in: number, on: connection)
        state.withLockedValue { _ = $0.pending.remove(number) }
        round.end(condition)
      }
    }
    let timer = Task {
      if (try? await Task.sleep(for: limit)) != nil { round.expire() }
    }
    defer { timer.cancel() }
    return await round.result
  }

  /// Closes the connections.
  func close() async {
    for connection in state.withLockedValue(\.connections) { await connection.close() }
  }

  /// The tests that were started together.
  private final class Round: Sendable {
    private struct State {
      var running: Int
      var result: DatabaseCondition?
      var waiter: CheckedContinuation<DatabaseCondition, Never>?

      /// Sets the result, unless there is one, and returns the task that waits for it.
      mutating func finish(
        _ condition: DatabaseCondition
      ) -> CheckedContinuation<DatabaseCondition, Never>? {
        guard result == nil else { return nil }
        result = condition
        defer { waiter = nil }
        return waiter
      }
    }

    private let state: NIOLockedValueBox<State>

    init(_ count: Int) {
      state = NIOLockedValueBox(State(running: count))
    }

    func end(_ condition: DatabaseCondition) {
      let waiter = state.withLockedValue {
        state -> CheckedContinuation<DatabaseCondition, Never>? in
        state.running -= 1
        guard condition == .ready || state.running == 0 else { return nil }
        return state.finish(condition)
      }
      waiter?.resume(returning: condition)
    }

    /// Ends the round without the tests that still run.
    func expire() {
      let waiter = state.withLockedValue { $0.finish(.writesHanging) }
      waiter?.resume(returning: .writesHanging)
    }

    var result: DatabaseCondition {
      get async {
        await withCheckedContinuation { continuation in
          let result = state.withLockedValue { state -> DatabaseCondition? in
            if state.result == nil { state.waiter = continuation }
            return state.result
          }
          if let result { continuation.resume(returning: result) }
        }
      }
    }
  }
}
