/// The status of a mockup.
///
/// ```
/// PENDING ──► GENERATING ──► COMPLETED ──► APPROVED | REJECTED
///    ▲            │
///    └────────────┘ an expired lease, or a retry
/// PENDING | GENERATING ──► FAILED
/// FAILED | REJECTED | COMPLETED | APPROVED ──► PENDING, by a regeneration
/// ```
///
/// The raw values are those of the column `status` in the database.
public enum MockupStatus: String, Sendable, Hashable, CaseIterable {
  /// The mockup waits for a worker.
  case pending
  /// A worker has claimed the mockup.
  case generating
  /// The mockup has a picture, which waits for approval.
  case completed
  /// The mockup has no picture, and no worker gets it unless it is regenerated.
  case failed
  /// The picture was approved, by its user or by a request that skips approval.
  case approved
  /// The picture was rejected.
  case rejected

  /// Returns a Boolean value that indicates whether a single transition leads to the next status.
  ///
  /// A completion that skips approval makes two transitions.
  public func canBecome(_ next: MockupStatus) -> Bool {
    switch (self, next) {
    case (.pending, .generating), (.pending, .failed): true
    case (.generating, .pending), (.generating, .completed), (.generating, .failed): true
    case (.completed, .approved), (.completed, .rejected): true
    case (.failed, .pending), (.rejected, .pending): true
    case (.completed, .pending), (.approved, .pending): true
    default: false
    }
  }
}
