internal import FoundationEssentials
internal import MockupAPI
internal import MockupStore
internal import Mockups
internal import TTRPC

// Performance, from the wire and to it.

/// What the fields of a batch may hold.
enum PerformanceFields {
  /// A batch; what an entry has that cannot be counted is that entry's own matter.
  static func batch(
    _ id: String, _ entries: [MockupAPI.PerformanceEntry]
  ) throws(RPCError) -> PerformanceBatch {
    let id = try RequestFields.uuid(id, "batch_id")
    guard entries.count <= PerformanceBatch.maximumCount else {
      throw .invalid("entries", "are more than \(PerformanceBatch.maximumCount)")
    }
    return PerformanceBatch(
      id: id,
      entries: entries.map { entry in
        Mockups.PerformanceEntry(
          userID: UUID(wireText: entry.userID), mockupID: UUID(wireText: entry.mockupID),
          pins: entry.pins, impressions: entry.impressions)
      })
  }
}

extension PerformanceStore.Answer {
  /// - Throws: ALREADY_EXISTS where the id was used for other entries.
  func outcome(of batch: PerformanceBatch) throws(RPCError) -> PerformanceOutcome {
    switch self {
    case .recorded(let outcome): return outcome
    case .conflictingEntries:
      throw RPCError(
        code: .alreadyExists,
        message: "the batch \(batch.id.wireText) was sent before with other entries",
        details: [
          .badRequest([
            FieldViolation(field: "entries", description: "differ from the first request")
          ])
        ])
    }
  }
}

extension RecordPerformanceResponse {
  init(_ outcome: PerformanceOutcome) {
    self.init(
      counted: outcome.counted,
      refused: outcome.refused.map { RefusedEntry(index: $0.index, reason: $0.reason.words) },
      replayed: outcome.isReplayed)
  }
}

extension PerformanceRefusal {
  /// The reason, for people.
  var words: String {
    switch self {
    case .negative: "pins and impressions are 0 or more"
    case .unknownMockup: "the user has no such mockup"
    case .counterFull: "a counter would pass \(Int32.max)"
    }
  }
}

/// A batch of a stream, and what has become of it.
struct CountedBatch: Sendable {
  /// Its place in the stream, from 0.
  var ordinal: Int
  var batch: PerformanceBatch
  var answer: PerformanceStore.Answer
}

/// What a stream's batches come to.
struct PerformanceTotal {
  /// The most refusals that are told one by one.
  private static let mostRefusals = 100

  private(set) var batches = 0
  private var replayed: Int64 = 0
  private var counted: Int64 = 0
  private var refused: Int64 = 0
  // Batches are done in any order; the first refusals are those of the first batches.
  private var refusals: [(ordinal: Int, refusal: StreamRefusal)] = []

  /// - Throws: ALREADY_EXISTS where the batch's id was used for other entries.
  mutating func add(_ done: CountedBatch) throws(RPCError) {
    let outcome = try done.answer.outcome(of: done.batch)
    batches += 1
    replayed += outcome.isReplayed ? 1 : 0
    counted += Int64(outcome.counted)
    refused += Int64(outcome.refused.count)
    guard !outcome.refused.isEmpty else { return }
    refusals += outcome.refused.prefix(Self.mostRefusals).map { entry in
      let refusal = StreamRefusal(
        batchID: done.batch.id.wireText, index: entry.index, reason: entry.reason.words)
      return (done.ordinal, refusal)
    }
    refusals.sort { ($0.ordinal, $0.refusal.index) < ($1.ordinal, $1.refusal.index) }
    refusals.removeLast(max(refusals.count - Self.mostRefusals, 0))
  }

  var response: StreamPerformanceResponse {
    StreamPerformanceResponse(
      batches: Int64(batches), replayedBatches: replayed, counted: counted, refused: refused,
      refusals: refusals.map(\.refusal))
  }
}
