internal import CoreMetrics
internal import MockupDatabase

/// The metrics of the batches in which changes are written, and of the answers to changes.
///
/// All series exist from the start, so that rates are right from the first change on.
struct ChangeMetrics: ChangeObserver {
  static let helps: [(String, String)] = [
    ("mockupd_batch_changes", "Changes in a batch, by queue."),
    (
      "mockupd_batch_wait_seconds",
      "Time that the first change of a batch waited until the batch was sent, by queue."
    ),
    ("mockupd_batch_write_seconds", "Time from sending a batch to its answer, by queue."),
    ("mockupd_changes_total", "Answers to changes of credits, by change and result."),
  ]

  private struct QueueMetrics: Sendable {
    let size: Recorder
    let wait: Timer
    let write: Timer

    init(_ queue: WriteQueue) {
      let dimensions = [("queue", queue.rawValue)]
      size = Recorder(label: "mockupd_batch_changes", dimensions: dimensions)
      wait = Timer(label: "mockupd_batch_wait_seconds", dimensions: dimensions)
      write = Timer(label: "mockupd_batch_write_seconds", dimensions: dimensions)
    }
  }

  private let credits = QueueMetrics(.credits)
  private let mockups = QueueMetrics(.mockups)
  private let performance = QueueMetrics(.performance)
  /// The counters by the positions of their kind and result, since a lookup would take longer.
  private let answers: [Counter]

  init() {
    answers = ChangeKind.allCases.flatMap { kind in
      ChangeResult.allCases.map { result in
        Counter(
          label: "mockupd_changes_total",
          dimensions: [("change", kind.rawValue), ("result", result.rawValue)])
      }
    }
  }

  private subscript(queue: WriteQueue) -> QueueMetrics {
    switch queue {
    case .credits: credits
    case .mockups: mockups
    case .performance: performance
    }
  }

  func batchWasSent(of queue: WriteQueue, size: Int, wait: Duration) {
    self[queue].size.record(Int64(size))
    self[queue].wait.recordNanoseconds(Int64(wait / .nanoseconds(1)))
  }

  func batchEnded(of queue: WriteQueue, after time: Duration) {
    self[queue].write.recordNanoseconds(Int64(time / .nanoseconds(1)))
  }

  func changeWasAnswered(_ kind: ChangeKind, _ result: ChangeResult) {
    answers[kind.position * ChangeResult.allCases.count + result.position].increment()
  }
}

extension ChangeKind {
  /// The position in `allCases`.
  fileprivate var position: Int {
    switch self {
    case .reserve: 0
    case .dispatch: 1
    case .extend: 2
    case .commit: 3
    case .release: 4
    case .refund: 5
    }
  }
}

extension ChangeResult {
  /// The position in `allCases`.
  fileprivate var position: Int {
    switch self {
    case .made: 0
    case .replayed: 1
    case .refused: 2
    case .unknown: 3
    case .notOpen: 4
    case .excessive: 5
    case .conflict: 6
    }
  }
}
