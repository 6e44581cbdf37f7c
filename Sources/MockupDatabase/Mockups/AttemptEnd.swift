internal import FoundationEssentials
internal import MockupCore
internal import Postgres

/// A worker's report of how an attempt ended.
///
/// Reports that arrive together are written in one transaction.
struct AttemptEnd: BatchedChange {
  let attempt: MockupAttempt
  let result: Result

  enum Result {
    /// The vendor made a picture, and charged credits (nil: all that are held).
    case completed(Picture, credits: Int32?, allowsOverrun: Bool)
    case failed(reason: String, mayRetry: Bool, mayBeCharged: Bool)
  }

  /// The maximum number of reports in one batch.
  ///
  /// It bounds the size of a batch and of its answer, in which the vendor's metadata of a mockup
  /// may have 256 KiB.
  static let maximumBatch = 64

  var userID: UUID { attempt.userID }

  func isSameKind(as other: AttemptEnd) -> Bool {
    switch (result, other.result) {
    case (.completed, .completed), (.failed, .failed): true
    case (.completed, .failed), (.failed, .completed): false
    }
  }

  static func findLocked(_ ends: [AttemptEnd]) -> (Statement, Parameters) {
    (
      Queries.findLockedAttempts,
      Parameters(ends.map(\.userID), ends.map(\.attempt.mockupID))
    )
  }

  /// Returns the statement that writes reports of one kind, or nil if there are none.
  static func statement(
    of ends: [AttemptEnd], now: Date?, makeID: () -> UUID
  ) -> (Statement, Parameters)? {
    let (userIDs, mockupIDs) = (ends.map(\.userID), ends.map(\.attempt.mockupID))
    let attempts = ends.map(\.attempt.number)
    switch ends.first?.result {
    case .completed:
      let completions = ends.compactMap { end in
        if case .completed(let picture, let credits, let allowsOverrun) = end.result {
          (picture: picture, credits: credits, allowsOverrun: allowsOverrun)
        } else {
          nil
        }
      }
      let pictures = completions.map(\.picture)
      return (
        Queries.completeMockups,
        Parameters(
          now, userIDs, mockupIDs, attempts, pictures.map(\.fileURL), pictures.map(\.fileKey),
          pictures.map(\.thumbnailURL), pictures.map(\.renderID), pictures.map(\.metadata),
          pictures.map(\.qualityScore), completions.map(\.credits),
          completions.map(\.allowsOverrun), ends.map { _ in makeID() })
      )
    case .failed:
      let failures = ends.compactMap { end in
        if case .failed(let reason, let mayRetry, let mayBeCharged) = end.result {
          (reason: reason, mayRetry: mayRetry, mayBeCharged: mayBeCharged)
        } else {
          nil
        }
      }
      return (
        Queries.failMockups,
        Parameters(
          now, userIDs, mockupIDs, attempts, failures.map(\.reason), failures.map(\.mayRetry),
          failures.map(\.mayBeCharged))
      )
    case nil: return nil
    }
  }

  /// Reads the answers to reports, in order.
  static func answers(to ends: [AttemptEnd], _ rows: Rows) throws(PostgresError) -> [MockupRow] {
    let answers = try rows.map(MockupRow.init(changing:))
    guard answers.count == ends.count else { throw .unexpectedAnswer("ends of attempts") }
    return answers
  }
}
