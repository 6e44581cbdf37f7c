internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

// Conversions between performance messages and the domain's values.

/// The validation of fields of performance requests.
enum PerformanceFields {
  /// Converts a batch.
  ///
  /// Entries are not validated here: an invalid entry is refused by itself, not with its batch.
  static func batch(
    _ id: String, _ entries: [MockupAPI.PerformanceEntry]
  ) throws(RPCError) -> PerformanceBatch {
    let id = try RequestFields.uuid(id, "batch_id")
    guard entries.count <= PerformanceBatch.maximumCount else {
      throw .invalid("entries", "has more than \(PerformanceBatch.maximumCount) items")
    }
    return PerformanceBatch(
      id: id,
      entries: entries.map { entry in
        MockupCore.PerformanceEntry(
          userID: UUID(wireText: entry.userID), mockupID: UUID(wireText: entry.mockupID),
          pins: entry.pins, impressions: entry.impressions)
      })
  }
}

extension PerformanceStore.Answer {
  /// Returns the outcome of a batch.
  ///
  /// - Throws: ALREADY_EXISTS if the batch's id was already used with different entries.
  func outcome(of batch: PerformanceBatch) throws(RPCError) -> PerformanceOutcome {
    switch self {
    case .recorded(let outcome): return outcome
    case .conflictingEntries:
      throw RPCError(
        code: .alreadyExists,
        message: "batch \(batch.id.wireText) was already sent with different entries",
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
      refused: outcome.refused.map { RefusedEntry(index: $0.index, reason: $0.reason.message) },
      replayed: outcome.isReplayed)
  }
}

extension PerformanceRefusal {
  /// The message that the caller gets.
  var message: String {
    switch self {
    case .negative: "pins and impressions must be 0 or more"
    case .unknownMockup: "the user has no such mockup"
    case .counterFull: "a counter would exceed \(Int32.max)"
    }
  }
}

/// A batch of a stream, with its outcome.
struct CountedBatch: Sendable {
  /// The index of the batch in the stream, from 0.
  var ordinal: Int
  var batch: PerformanceBatch
  var answer: PerformanceStore.Answer
}

/// The totals over the batches of a stream.
struct PerformanceTotal {
  /// The maximum number of refusals that the response lists.
  private static let maxRefusals = 100

  private(set) var batches = 0
  private var replayed: Int64 = 0
  private var counted: Int64 = 0
  private var refused: Int64 = 0
  // Batches finish in any order. The first refusals are those of the first batches in the stream.
  private var refusals: [(ordinal: Int, refusal: StreamRefusal)] = []

  /// Adds the outcome of a batch.
  ///
  /// - Throws: ALREADY_EXISTS if the batch's id was already used with different entries.
  mutating func add(_ done: CountedBatch) throws(RPCError) {
    let outcome = try done.answer.outcome(of: done.batch)
    batches += 1
    replayed += outcome.isReplayed ? 1 : 0
    counted += Int64(outcome.counted)
    refused += Int64(outcome.refused.count)
    guard !outcome.refused.isEmpty else { return }
    refusals += outcome.refused.prefix(Self.maxRefusals).map { entry in
      let refusal = StreamRefusal(
        batchID: done.batch.id.wireText, index: entry.index, reason: entry.reason.message)
      return (done.ordinal, refusal)
    }
    refusals.sort { ($0.ordinal, $0.refusal.index) < ($1.ordinal, $1.refusal.index) }
    refusals.removeLast(max(refusals.count - Self.maxRefusals, 0))
  }

  var response: StreamPerformanceResponse {
    StreamPerformanceResponse(
      batches: Int64(batches), replayedBatches: replayed, counted: counted, refused: refused,
      refusals: refusals.map(\.refusal))
  }
}
