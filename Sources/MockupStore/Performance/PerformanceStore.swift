public import FoundationEssentials
public import Mockups
public import Postgres

/// The pins and impressions of mockups.
///
/// Batches are written together, as many as there are: their entries are merged, so that a mockup is
/// written once however many of them name it.
public struct PerformanceStore: Sendable {
  let pool: Pool
  let now: @Sendable () -> Date

  /// - Parameter now: The clock by which batches are received.
  public init(pool: Pool, now: @escaping @Sendable () -> Date = { Date() }) {
    self.pool = pool
    self.now = now
  }

  /// What has become of a batch of a call.
  public enum Answer: Sendable, Hashable {
    case recorded(PerformanceOutcome)
    /// The id was used for other entries. Nothing was counted.
    case conflictingEntries
  }

  /// Counts batches, in one transaction, durable when it returns.
  ///
  /// - Parameter batches: No id twice.
  /// - Returns: The answers, in the order of the batches.
  public func record(_ batches: [PerformanceBatch]) async throws(PostgresError) -> [Answer] {
    guard !batches.isEmpty else { return [] }
    let claim = Parameters(now(), batches.map(\.id), batches.map(\.contents))
    return try await pool.withTransaction { transaction throws(PostgresError) in
      let claims = try await transaction.query(
        Queries.claimPerformanceBatches, claim, PerformanceClaim.init)
      guard claims.count == batches.count else { throw .unexpectedAnswer("claim") }
      let claimed = zip(batches, claims).filter { $1.isNew }.map(\.0)
      guard !claimed.isEmpty else { return claims.map(\.answer) }

      let named = PerformanceSheet.mockups(of: claimed)
      let mockups = try await transaction.query(
        Queries.lockPerformance, Parameters(named.map(\.userID), named.map(\.id)),
        PerformanceSheet.Mockup.init)
      var sheet = PerformanceSheet(mockups)
      var outcomes = claimed.map { sheet.add($0) }[...]
      try await transaction.execute(
        Queries.recordPerformance, sheet.parameters(claimed, Array(outcomes)))
      return claims.map { claim in
        guard claim.isNew, let outcome = outcomes.popFirst() else { return claim.answer }
        return .recorded(outcome)
      }
    }
  }
}

/// A row of `claim_performance_batches.sql`.
private struct PerformanceClaim: Sendable {
  var isNew: Bool
  /// What the batch was told before, where it is not new.
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
    for (index, word) in zip(indexes, reasons) {
      guard let reason = PerformanceRefusal(rawValue: word) else { throw .unexpectedAnswer(word) }
      refused.append(PerformanceOutcome.Refused(index: index, reason: reason))
    }
    answer = .recorded(
      PerformanceOutcome(counted: counted, refused: refused, isReplayed: true))
  }
}
