/// Where a mockup stands; raw values are the database's words.
///
///     PENDING ──► GENERATING ──► COMPLETED ──► APPROVED | REJECTED
///        ▲            │
///        └────────────┤ a lease that lapsed, or another try
///     PENDING | GENERATING ──► FAILED
///     FAILED | REJECTED | COMPLETED | APPROVED ──► PENDING, with a new attempt
public enum MockupStatus: String, Sendable, Hashable, CaseIterable {
  /// Waits for a worker.
  case pending
  /// A worker has it.
  case generating
  case completed
  case failed
  case approved
  case rejected

  /// Whether one change leads from here to there. A mockup that is approved as soon as it is completed
  /// makes two.
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
