internal import Histogram

/// Counts the answers that come within the measured window.
struct Tally {
  /// RESOURCE_EXHAUSTED, of google.rpc.Code.
  static let refusal = 8

  /// From 1 ns to an hour, with three significant digits. In nanoseconds.
  private(set) var latency = Self.histogram
  private(set) var refusedLatency = Self.histogram
  /// Of google.rpc.Code, by its number; the last place is that of all higher ones.
  private(set) var statuses = InlineArray<18, Int>(repeating: 0)
  /// Answered OK, and done.
  private(set) var answered = 0
  /// Answers that were OK, and said no: `success` was false.
  private(set) var declined = 0
  private(set) var messages = DistinctMessages()

  private static var histogram: Histogram<UInt64> {
    Histogram(highestTrackableValue: longest, numberOfSignificantValueDigits: .three)
  }
  private static let longest: UInt64 = 3_600_000_000_000

  /// Answered with RESOURCE_EXHAUSTED.
  var refused: Int { statuses[Self.refusal] }
  /// All that were answered, however.
  var all: Int { statuses.indices.reduce(0) { $0 + statuses[$1] } }
  /// Answered with any other status.
  var errors: Int { all - statuses[0] - refused }

  @inline(__always)
  mutating func succeeded(after nanoseconds: UInt64) {
    statuses[0] &+= 1
    answered &+= 1
    latency.record(min(nanoseconds, Self.longest))
  }

  /// An answer that was OK, and said no. `isDone` where that is all that was asked.
  mutating func declined(isDone: Bool, after nanoseconds: UInt64) {
    declined += 1
    if isDone { succeeded(after: nanoseconds) } else { statuses[0] &+= 1 }
  }

  mutating func failed(_ answer: Answer, after nanoseconds: UInt64) {
    let code = Int(clamping: answer.code)
    statuses[min(code, statuses.count - 1)] &+= 1
    if code == Self.refusal { refusedLatency.record(min(nanoseconds, Self.longest)) }
    messages.note { answer.messageText }
  }
}

/// The first few texts that differ.
struct DistinctMessages {
  static let limit = 5
  /// So many are looked at, so that a server that refuses most calls costs no strings.
  static let examined = 1000

  private(set) var texts: [String] = []
  private var seen = 0

  mutating func note(_ text: () -> String) {
    guard texts.count < Self.limit, seen < Self.examined else { return }
    seen += 1
    let text = text()
    if !texts.contains(text) { texts.append(text) }
  }
}
