internal import FoundationEssentials
internal import MockupCore
internal import Postgres

/// A writer that counts batches of pins and impressions in the database.
///
/// Through a proxy database, each partition counts the entries of its users, in a transaction of
/// its own. The partition that the id of a batch decides on, its home, is the first, even if it has
/// no entry of the batch. So a batch with the same id and other entries is refused before any of
/// them is counted, whatever their partitions are. If a later partition fails, a retry finds the
/// batch in its home, and completes the rest.
struct PerformanceWriter: Sendable {
  typealias Answer = PerformanceStore.Answer
  typealias Result = Swift.Result<Answer, PostgresError>

  let pool: Pool
  let now: @Sendable () -> Date?
  private let isApart: Bool
  private let visits: PartitionVisits

  /// - Parameter isApart: True to use the connections for statements that have met a lock; see
  ///   ``Pool/apart``. A statement may wait there for those of locked users.
  init(pool: Pool, now: @escaping @Sendable () -> Date?, isApart: Bool = false) {
    self.pool = pool
    self.now = now
    self.isApart = isApart
    visits = PartitionVisits(limit: .seconds(isApart ? 60 : 5))
  }

  /// Counts batches with the same results as if they were counted one by one.
  ///
  /// A batch that is listed twice counts once.
  ///
  /// - Returns: The result of each batch, in order. Those of a partition that is unavailable fail,
  ///   with ``PostgresError/Code/connectionLost`` if another partition has counted entries of it.
  /// - Throws: `PostgresError` if no batch was counted, or a partition failed for another reason
  ///   than that it is unavailable.
  func record(_ batches: [PerformanceBatch]) async throws(PostgresError) -> [Result] {
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
      return answers[index].map { answer in
        batch.entries == firsts[index].entries ? answer.asReplayed : .conflictingEntries
      }
    }
  }

  private func recordOnce(
    _ batches: [PerformanceBatch]
  ) async throws(PostgresError) -> [Result] {
    let entries = batches.enumerated().flatMap { offset, batch in
      batch.entries.enumerated().map { index, entry in
        PlacedEntry(place: offset, index: Int32(index), entry: entry)
      }
    }
    let partitions = try await pool.partitionCount()
    guard partitions > 1 else {
      return try await count(entries, of: batches, in: 0).map { .success($0) }
    }
    var answers: [Result?] = batches.map { _ in nil }
    let homes = batches.map { $0.id.partition(of: partitions) }
    let parts = indicesByPartition(entries.map(\.entry.userID), of: partitions)
    let entriesOf = Dictionary(
      uniqueKeysWithValues: parts.map { ($0, $1.map { entries[$0] }) })
    for isHome in [true, false] {
      for partition in 0..<partitions {
        let part = (entriesOf[partition] ?? []).filter {
          (homes[$0.place] == partition) == isHome && (isHome || answers[$0.place].mayContinue)
        }
        let places =
          isHome
          ? batches.indices.filter { homes[$0] == partition } : Set(part.map(\.place)).sorted()
        guard !places.isEmpty else { continue }
        let counted = try await count(part, of: places, batches, in: partition)
        for (place, answer) in zip(places, counted) {
          answers[place] = answers[place].adding(answer)
        }
      }
    }
    return answers.map { $0 ?? .failure(.unexpectedAnswer("performance")) }
  }

  /// Counts the entries that a partition has of the batches at some places.
  private func count(
    _ entries: [PlacedEntry], of places: [Int], _ batches: [PerformanceBatch], in partition: Int
  ) async throws(PostgresError) -> [Result] {
    let renumbered = Dictionary(uniqueKeysWithValues: places.enumerated().map { ($1, $0) })
    let placed = entries.map { entry in
      var entry = entry
      entry.place = renumbered[entry.place] ?? 0
      return entry
    }
    do throws(PostgresError) {
      return try await visits.attempt(in: partition) { () throws(PostgresError) in
        try await count(placed, of: places.map { batches[$0] }, in: partition)
      }.map { .success($0) }
    } catch {
      guard error.isTransient, !error.isLocked, !error.isConflict else { throw error }
      return places.map { _ in .failure(error) }
    }
  }

  /// An entry of several batches.
  private struct PlacedEntry {
    /// The place of its batch among the batches, from 0.
    var place: Int
    /// Its index in the batch.
    var index: Int32
    var entry: PerformanceEntry
  }

  /// Counts the entries of batches in one transaction.
  private func count(
    _ entries: [PlacedEntry], of batches: [PerformanceBatch], in partition: Int
  ) async throws(PostgresError) -> [Answer] {
    var mockups = NumberedMockups()
    let numbers = entries.map { mockups.number(of: $0.entry) }
    let parameters = Parameters(
      now(), batches.map(\.id), batches.map(\.contents), mockups.userIDs, mockups.ids,
      entries.map { Int32($0.place + 1) }, entries.map(\.index), numbers,
      entries.map(\.entry.pins), entries.map(\.entry.impressions), Int32(partition))
    let lane = pool.lane(partition)
    let rows = try await (isApart ? lane.apart : lane).query(
      Queries.countPerformance, parameters, Answer.init)
    guard rows.count == batches.count else { throw .unexpectedAnswer("performance") }
    return rows
  }
}

/// The mockups that entries name, each once, so that the database compares numbers instead of ids.
private struct NumberedMockups {
  private(set) var userIDs: [UUID] = []
  private(set) var ids: [UUID] = []
  private var numbers: [Key: Int32] = [:]

  private struct Key: Hashable {
    var userID: UUID
    var id: UUID
  }

  /// Returns the number of the entry's mockup, from 1; 0 if an id is invalid.
  mutating func number(of entry: PerformanceEntry) -> Int32 {
    guard let userID = entry.userID, let id = entry.mockupID else { return 0 }
    let key = Key(userID: userID, id: id)
    if let number = numbers[key] { return number }
    userIDs.append(userID)
    ids.append(id)
    let number = Int32(ids.count)
    numbers[key] = number
    return number
  }
}

extension PerformanceWriter.Result? {
  /// True if the other partitions may count the batch, too.
  fileprivate var mayContinue: Bool {
    switch self {
    case .success(.recorded): true
    case .success(.conflictingEntries), .failure, nil: false
    }
  }

  /// Returns the result for a batch of which another partition has counted the other entries.
  fileprivate func adding(_ other: PerformanceWriter.Result) -> PerformanceWriter.Result {
    guard case .success(let answer) = self else { return other }
    return other.map { answer.adding($0) }.mapError(\.afterPartialWrite)
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
