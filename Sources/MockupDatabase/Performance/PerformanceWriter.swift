internal import FoundationEssentials
internal import MockupCore
internal import Postgres

/// A writer that counts batches of pins and impressions in the database.
struct PerformanceWriter: Sendable {
  var pool: Pool
  let now: @Sendable () -> Date?

  /// Returns the same writer on another pool.
  func on(_ pool: Pool) -> PerformanceWriter {
    var writer = self
    writer.pool = pool
    return writer
  }

  /// Counts batches in one transaction, with the same results as if they were counted one by one.
  ///
  /// A batch that is listed twice counts once.
  func record(
    _ batches: [PerformanceBatch]
  ) async throws(PostgresError) -> [PerformanceStore.Answer] {
    var indices: [UUID: Int] = [:]
    var firsts: [PerformanceBatch] = []
    for batch in batches where indices[batch.id] == nil {
      indices[batch.id] = firsts.count
      firsts.append(batch)
    }
    guard !firsts.isEmpty else { return [] }
    let answers = try await recordOnce(firsts)
    guard firsts.count < batches.count else { return answers }
    var answered: Set<UUID> = []
    return batches.map { batch in
      let index = indices[batch.id] ?? 0
      if answered.insert(batch.id).inserted { return answers[index] }
      return batch.entries == firsts[index].entries
        ? answers[index].asReplayed : .conflictingEntries
    }
  }

  private func recordOnce(
    _ batches: [PerformanceBatch]
  ) async throws(PostgresError) -> [PerformanceStore.Answer] {
    let claim = Parameters(now(), batches.map(\.id), batches.map(\.contents))
    return try await pool.withTransaction { transaction throws(PostgresError) in
      let claims = try await transaction.query(
        Queries.claimPerformanceBatches, claim, PerformanceClaim.init)
      guard claims.count == batches.count else { throw .unexpectedAnswer("claim") }
      let claimed = zip(batches, claims).filter { $1.isNew }.map(\.0)
      guard !claimed.isEmpty else { return claims.map(\.answer) }

      let named = PerformanceTally.mockups(of: claimed)
      let mockups = try await transaction.query(
        Queries.lockPerformance, Parameters(named.map(\.userID), named.map(\.id)),
        PerformanceTally.Mockup.init)
      var tally = PerformanceTally(mockups)
      var outcomes = claimed.map { tally.add($0) }[...]
      try await transaction.execute(
        Queries.recordPerformance, tally.parameters(claimed, Array(outcomes)))
      return claims.map { claim in
        guard claim.isNew, let outcome = outcomes.popFirst() else { return claim.answer }
        return .recorded(outcome)
      }
    }
  }
}

extension PerformanceStore.Answer {
  /// The answer for a replay of the batch.
  fileprivate var asReplayed: PerformanceStore.Answer {
    guard case .recorded(var outcome) = self else { return self }
    outcome.isReplayed = true
    return .recorded(outcome)
  }
}

/// A row of `claim_performance_batches.sql`.
private struct PerformanceClaim: Sendable {
  var isNew: Bool
  /// The earlier answer, if the batch is not new.
  var answer: PerformanceStore.Answer

  init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    _ = try columns.read(Int64.self)
    let outcome = try columns.read(String.self)
    let counted = try columns.read(Int32.self)
    let indexes = try columns.read([Int32].self)
    let reasons = try columns.read([String].self)
    isNew = outcome == "claimed"
    guard outcome != "conflicting_entries" else {
      answer = .conflictingEntries
      return
    }
    var refused: [PerformanceOutcome.Refused] = []
    for (index, value) in zip(indexes, reasons) {
      guard let reason = PerformanceRefusal(rawValue: value) else { throw .unexpectedAnswer(value) }
      refused.append(PerformanceOutcome.Refused(index: index, reason: reason))
    }
    answer = .recorded(
      PerformanceOutcome(counted: counted, refused: refused, isReplayed: true))
  }
}
