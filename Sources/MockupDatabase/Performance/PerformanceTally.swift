internal import FoundationEssentials
internal import MockupCore
internal import Postgres

/// The sums of pins and impressions that a transaction's batches add to the mockups it has locked.
///
/// It decides on each entry of the batches.
struct PerformanceTally {
  /// The key of a mockup: its user and its id.
  struct Name: Hashable, Sendable {
    var userID: UUID
    var id: UUID
  }

  /// A locked mockup with its counters.
  struct Mockup: Sendable {
    var name: Name
    var pins: Int32
    var impressions: Int32
  }

  private struct Line {
    /// The counters after the transaction.
    var pins: Int32
    var impressions: Int32
    var addedPins: Int32 = 0
    var addedImpressions: Int32 = 0
  }

  private var lines: [Name: Line]

  /// Creates sums without additions.
  ///
  /// - Parameter mockups: The mockups that the batches name, as far as they exist.
  init(_ mockups: [Mockup]) {
    lines = Dictionary(
      mockups.map { ($0.name, Line(pins: $0.pins, impressions: $0.impressions)) },
      uniquingKeysWith: { first, _ in first })
  }

  /// Returns the mockups that the entries of batches name, each once.
  static func mockups(of batches: [PerformanceBatch]) -> [Name] {
    var names: Set<Name> = []
    for batch in batches { names.formUnion(batch.entries.lazy.compactMap(\.name)) }
    return Array(names)
  }

  /// Adds the entries of a batch in order.
  ///
  /// Each entry is counted completely or refused on its own.
  mutating func add(_ batch: PerformanceBatch) -> PerformanceOutcome {
    var outcome = PerformanceOutcome()
    for (index, entry) in batch.entries.enumerated() {
      if let reason = add(entry) {
        outcome.refused.append(.init(index: Int32(clamping: index), reason: reason))
      } else {
        outcome.counted += 1
      }
    }
    return outcome
  }

  private mutating func add(_ entry: PerformanceEntry) -> PerformanceRefusal? {
    guard entry.pins >= 0, entry.impressions >= 0 else { return .negative }
    guard let name = entry.name, let line = lines[name] else { return .unknownMockup }
    let (pins, pinsOverflow) = line.pins.addingReportingOverflow(entry.pins)
    let (impressions, overflow) = line.impressions.addingReportingOverflow(entry.impressions)
    guard !pinsOverflow, !overflow else { return .counterFull }
    // The additions cannot overflow: counters start at 0 or more, so the sums are at least as
    // large.
    lines[name] = Line(
      pins: pins, impressions: impressions, addedPins: line.addedPins + entry.pins,
      addedImpressions: line.addedImpressions + entry.impressions)
    return nil
  }

  /// Returns the parameters of `record_performance.sql`.
  func parameters(_ batches: [PerformanceBatch], _ outcomes: [PerformanceOutcome]) -> Parameters {
    let changed = lines.filter { $0.value.addedPins > 0 || $0.value.addedImpressions > 0 }
    let refused = zip(batches, outcomes).flatMap { batch, outcome in
      outcome.refused.map { (batch: batch.id, index: $0.index, reason: $0.reason.rawValue) }
    }
    return Parameters(
      changed.map(\.key.userID), changed.map(\.key.id),
      changed.map(\.value.addedPins), changed.map(\.value.addedImpressions),
      batches.map(\.id), outcomes.map(\.counted),
      refused.map(\.batch), refused.map(\.index), refused.map(\.reason))
  }
}

extension PerformanceTally.Mockup {
  init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    let id = try columns.read(UUID.self)
    self.init(
      name: PerformanceTally.Name(userID: try columns.read(), id: id),
      pins: try columns.read(),
      impressions: try columns.read())
  }
}

extension PerformanceEntry {
  fileprivate var name: PerformanceTally.Name? {
    guard let userID, let mockupID else { return nil }
    return PerformanceTally.Name(userID: userID, id: mockupID)
  }
}

extension PerformanceBatch {
  /// The entries as bytes, which are equal only for equal entries.
  var contents: [UInt8] {
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
