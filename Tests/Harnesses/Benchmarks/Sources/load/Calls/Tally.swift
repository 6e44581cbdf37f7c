internal import Histogram

/// The counts of the responses within the measured window.
struct Tally {
  /// The code RESOURCE_EXHAUSTED of google.rpc.Code.
  static let refusal = 8

  /// The latencies of calls that succeeded: 1 ns to an hour, with three significant digits.
  private(set) var latency = Self.histogram
  private(set) var refusedLatency = Self.histogram
  /// The responses by their number of google.rpc.Code; the last element counts all higher numbers.
  private(set) var statuses = InlineArray<18, Int>(repeating: 0)
  /// The number of completed calls with the status OK.
  private(set) var answered = 0
  /// The number of responses with the status OK whose `success` was false.
  private(set) var declined = 0
  private(set) var messages = DistinctMessages()

  private static var histogram: Histogram<UInt64> {
    Histogram(highestTrackableValue: longest, numberOfSignificantValueDigits: .three)
  }
  private static let longest: UInt64 = 3_600_000_000_000

  /// The number of responses with the status RESOURCE_EXHAUSTED.
  var refused: Int { statuses[Self.refusal] }
  /// The number of responses with any status.
  var all: Int { statuses.indices.reduce(0) { $0 + statuses[$1] } }
  /// The number of responses with another status than OK and RESOURCE_EXHAUSTED.
  var errors: Int { all - statuses[0] - refused }

  @inline(__always)
  mutating func succeeded(after nanoseconds: UInt64) {
    statuses[0] &+= 1
    answered &+= 1
    latency.record(min(nanoseconds, Self.longest))
  }

  /// Counts a response with the status OK whose `success` was false.
  ///
  /// - Parameter isDone: True if the call has no second request.
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

/// The first few different messages.
struct DistinctMessages {
  static let limit = 5
  /// The number of messages that are examined, so that frequent refusals do not cost a string each.
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
