/// The response of a StreamPerformance call, or its status.
struct PerformanceOutcome {
  let code: UInt64
  let sentBatches: Int
  private(set) var takenBatches: UInt64 = 0
  /// The number of entries that were counted.
  private(set) var counted: UInt64 = 0
  /// The number of entries that were refused.
  private(set) var refused: UInt64 = 0
  /// The messages of the status and of the refused entries.
  private(set) var messages = DistinctMessages()
  let usage: Usage

  init(_ answer: Answer, sentBatches: Int, usage: Usage) {
    code = answer.code
    self.sentBatches = sentBatches
    self.usage = usage
    if code != 0 { messages.note { answer.messageText } }
    var response = unsafe FieldScanner(answer.payload)
    while response.next() {
      switch response.field {
      case 1: takenBatches = response.value
      case 3: counted = response.value
      case 4: refused = response.value
      case 5:
        var refusal = unsafe FieldScanner(response.bytes)
        while refusal.next() {
          guard refusal.field == 3 else { continue }
          messages.note { unsafe String(decoding: refusal.bytes, as: UTF8.self) }
        }
      default: break
      }
    }
  }
}

extension Report {
  init(_ plan: Plan, performance: PerformanceOutcome) {
    let usage = performance.usage
    let counted = Int(clamping: performance.counted)
    let rate = Double(counted) / usage.seconds
    json = [
      "work": .string(plan.work.rawValue),
      "connections": .integer(1),
      "in_flight": .integer(1),
      "batch": .integer(plan.batch),
      "rate": JSON(plan.rate),
      "seconds": .number(usage.seconds),
      "calls": .integer(counted),
      "errors": .integer(performance.code == 0 ? 0 : 1),
      "refused": .integer(Int(clamping: performance.refused)),
      "batches_sent": .integer(performance.sentBatches),
      "batches_taken": .integer(Int(clamping: performance.takenBatches)),
      "calls_per_second": .number(rate),
      "latency_microseconds": .null,
      "refused_latency_microseconds": .null,
      "server_cpu_microseconds_per_call": JSON(
        usage.server.flatMap { $0.microseconds(per: counted) }),
      "client_cpu_microseconds_per_call": JSON(usage.client.microseconds(per: counted)),
      "server_rss_kib": JSON(usage.memory?.resident),
      "server_peak_rss_kib": JSON(usage.memory?.peak),
      "statuses": .object([("\(performance.code)", .integer(1))]),
      "messages": .array(performance.messages.texts.map { .string($0) }),
      "seed": .integer(Int(clamping: plan.seed)),
    ]
    line = """
      performance: \(Int(rate)) entries/s, \(performance.sentBatches) batches sent, \
      \(performance.takenBatches) taken, status \(performance.code)
      """
  }
}
