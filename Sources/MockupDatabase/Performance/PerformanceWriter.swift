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
    let entries = batches.enumerated().flatMap { offset, batch in
      batch.entries.enumerated().map { index, entry in
        PlacedEntry(place: offset, index: Int32(index), entry: entry)
      }
    }
    do throws(PostgresError) {
      return try await count(entries, of: batches)
    } catch {
      guard error.spansPartitions else { throw error }
    }
    // Each partition counts the entries of its users, under the id and the digest of the whole
    // batch. A batch whose call fails midway is completed when it is retried.
    var answers: [PerformanceStore.Answer?] = batches.map { _ in nil }
    for indices in indicesByPartition(entries.map(\.entry.userID)) {
      let part = indices.map { entries[$0] }
      let places = Set(part.map(\.place)).sorted()
      let renumbered = Dictionary(
        uniqueKeysWithValues: places.enumerated().map { ($1, $0) })
      let counted = try await count(
        part.map { entry in
          var entry = entry
          entry.place = renumbered[entry.place] ?? 0
          return entry
        }, of: places.map { batches[$0] })
      for (place, answer) in zip(places, counted) {
        answers[place] = answers[place]?.adding(answer) ?? answer
      }
    }
    return answers.map { $0 ?? .recorded(PerformanceOutcome()) }
  }

  /// An entry of several batches.
  private struct PlacedEntry {
    /// The place of its batch among the batches, from 0.
    var place: Int
    /// Its index in the batch.
    var index: Int32
    var entry: PerformanceEntry
  }

  private func count(
    _ entries: [PlacedEntry], of batches: [PerformanceBatch]
  ) async throws(PostgresError) -> [PerformanceStore.Answer] {
    let parameters = Parameters(
      now(), batches.map(\.id), batches.map(\.contents),
      entries.map { Int32($0.place + 1) }, entries.map(\.index),
      entries.map(\.entry.userID), entries.map(\.entry.mockupID), entries.map(\.entry.pins),
      entries.map(\.entry.impressions))
    let rows = try await pool.query(
      Queries.countPerformance, parameters, PerformanceStore.Answer.init)
    guard rows.count == batches.count else { throw .unexpectedAnswer("performance") }
    return rows
  }
}

extension PerformanceStore.Answer {
  /// The answer for a replay of the batch.
  fileprivate var asReplayed: PerformanceStore.Answer {
    guard case .recorded(var outcome) = self else { return self }
    outcome.isReplayed = true
    return .recorded(outcome)
  }

  /// Returns the answer for a batch of which another partition has counted the other entries.
  fileprivate func adding(_ other: PerformanceStore.Answer) -> PerformanceStore.Answer {
    guard case .recorded(var outcome) = self, case .recorded(let added) = other else {
      return .conflictingEntries
    }
    outcome.counted += added.counted
    outcome.refused += added.refused
    outcome.refused.sort { $0.index < $1.index }
    outcome.isReplayed = outcome.isReplayed && added.isReplayed
    return .recorded(outcome)
  }

  /// Reads a row of `count_performance.sql`.
  fileprivate init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    _ = try columns.read(Int64.self)
    let outcome = try columns.read(String.self)
    guard outcome != "conflicting_entries" else {
      self = .conflictingEntries
      return
    }
    let counted = try columns.read(Int32.self)
    let indexes = try columns.read([Int32].self)
    let reasons = try columns.read([String].self)
    var refused: [PerformanceOutcome.Refused] = []
    for (index, value) in zip(indexes, reasons) {
      guard let reason = PerformanceRefusal(rawValue: value) else { throw .unexpectedAnswer(value) }
      refused.append(PerformanceOutcome.Refused(index: index, reason: reason))
    }
    self = .recorded(
      PerformanceOutcome(counted: counted, refused: refused, isReplayed: outcome == "replayed"))
  }
}

extension PerformanceBatch {
  /// The entries as bytes, which are equal only for equal entries.
  fileprivate var contents: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(entries.count * 42)
    for entry in entries {
      bytes.append(id: entry.userID)
      bytes.append(id: entry.mockupID)
      bytes.append(number: entry.pins)
      bytes.append(number: entry.impressions)
    }
    return bytes
  }
}

extension [UInt8] {
  fileprivate mutating func append(id: UUID?) {
    append(id == nil ? 0 : 1)
    guard let id else { return }
    let (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) = id.uuid
    append(contentsOf: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
  }

  fileprivate mutating func append(number: Int32) {
    for shift in [24, 16, 8, 0] { append(UInt8(truncatingIfNeeded: number >> shift)) }
  }
}
