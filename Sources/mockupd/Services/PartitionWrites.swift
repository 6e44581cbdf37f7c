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
  private let state = NIOLockedValueBox(State())

  /// Creates a test, which connects when it is first needed.
  init(configuration: PostgresConfiguration, check: DatabaseCheck) {
    self.configuration = configuration
    self.check = check
  }

  /// Starts a test in each partition in which none is pending, and returns when one has succeeded.
  ///
  /// If none succeeds, it returns the condition of one of the others when all have ended.
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
    }

    private let state: NIOLockedValueBox<State>

    init(_ count: Int) {
      state = NIOLockedValueBox(State(running: count))
    }

    func end(_ condition: DatabaseCondition) {
      let waiter = state.withLockedValue {
        state -> CheckedContinuation<DatabaseCondition, Never>? in
        state.running -= 1
        guard state.result == nil, condition == .ready || state.running == 0 else { return nil }
        state.result = condition
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume(returning: condition)
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
