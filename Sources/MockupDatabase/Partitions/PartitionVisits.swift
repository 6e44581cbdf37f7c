internal import NIOConcurrencyHelpers
internal import Postgres

/// Visits of the partitions of a proxy database, for work that may leave out a partition.
///
/// A visit leaves out a partition that is unavailable. It waits for one that hangs up to a limit,
/// and later visits leave it out until that work ends.
final class PartitionVisits: Sendable {
  /// The time that a visit waits for one partition.
  private let limit: Duration
  /// The number of tasks that work in a partition for longer than the limit.
  private let overdue = NIOLockedValueBox<[Int: Int]>([:])

  init(limit: Duration = .seconds(2)) {
    self.limit = limit
  }

  /// Does work in each partition, one after the other, beginning with a random one.
  ///
  /// In a database that is not divided, it does the work once, without a time limit.
  ///
  /// - Parameters:
  ///   - pool: The pool, whose lanes are the partitions.
  ///   - isDone: Returns true if the result makes further visits unnecessary.
  ///   - work: The work in a lane, with the number of the partition. What it writes may be written
  ///     even if the visit has given up waiting.
  /// - Returns: The results, one from each partition that was visited.
  /// - Throws: `PostgresError` if the work failed for another reason than that the partition is
  ///   unavailable, or if all partitions are. Its code is `connectionLost` or
  ///   `replicationUncertain` if the work may have had an effect in one of them.
  func visit<Value: Sendable>(
    _ pool: Pool, until isDone: (Value) -> Bool = { _ in false },
    _ work: @escaping @Sendable (Pool, Int32) async throws(PostgresError) -> Value
  ) async throws(PostgresError) -> [Value] {
    let count = try await pool.partitionCount()
    guard count > 1 else { return [try await work(pool, 0)] }
    let first = Int.random(in: 0..<count)
    var values: [Value] = []
    var failure: PostgresError?
    for number in (0..<count).map({ (first + $0) % count }) {
      do throws(PostgresError) {
        let value = try await attempt(in: number) { () throws(PostgresError) in
          try await work(pool.lane(number), Int32(number))
        }
        values.append(value)
        if isDone(value) { break }
      } catch {
        guard error.isTransient else { throw error }
        // Work with an unknown outcome may have taken effect, or may still do so.
        if failure?.code != .connectionLost, failure?.code != .replicationUncertain {
          failure = error
        }
      }
    }
    if values.isEmpty, let failure { throw failure }
    return values
  }

  /// Does work in a partition, with a limit of the time to wait for it.
  ///
  /// - Throws: The error of the work; `PostgresError` with `connectionUnavailable` if earlier work
  ///   in the partition hangs, and with `connectionLost` if this one does.
  func attempt<Value: Sendable>(
    in number: Int, _ work: @escaping @Sendable () async throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    guard overdue.withLockedValue({ $0[number, default: 0] == 0 }) else {
      throw PostgresError(.connectionUnavailable, "partition \(number) does not answer")
    }
    let first = FirstResult<Result<Value, PostgresError>>()
    let task = Task {
      let result: Result<Value, PostgresError>
      do throws(PostgresError) {
        result = .success(try await work())
      } catch {
        result = .failure(error)
      }
      if !first.end(result) { overdue.withLockedValue { $0[number, default: 1] -= 1 } }
    }
    let timer = Task {
      guard (try? await Task.sleep(for: limit)) != nil else { return }
      // Counted before `end`: work that ends at the same time then finds the count, and subtracts
      // it.
      overdue.withLockedValue { $0[number, default: 0] += 1 }
      let lost = PostgresError(.connectionLost, "partition \(number) does not answer")
      guard first.end(.failure(lost)) else {
        return overdue.withLockedValue { $0[number, default: 1] -= 1 }
      }
      // Nobody waits for its next statement. One that was sent and may write goes on.
      task.cancel()
    }
    defer { timer.cancel() }
    return try await withTaskCancellationHandler {
      await first.value
    } onCancel: {
      task.cancel()
    }.get()
  }
}
