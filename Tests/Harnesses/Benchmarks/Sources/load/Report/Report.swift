/// The report on a run.
struct Report {
  let json: JSON
  /// A summary for people.
  let line: String

  /// Runs a plan and reports on it.
  init(_ plan: Plan) throws(LoadError) {
    switch plan.work {
    case .idle: self = try Report(plan, idle: IdleRun(plan).run())
    case .performance:
      var run = try PerformanceRun(plan)
      self = try Report(plan, performance: run.run())
    case .health, .reserve, .pair, .usage:
      guard let calls = plan.work.calls else { throw LoadError("\(plan.work) has no calls") }
      var loop = try CallLoop(plan, calls)
      let usage = try loop.run()
      self = Report(
        plan, usage, loop.tally, overdue: loop.overdue, unanswered: loop.waiting)
    }
  }

  init(json: JSON, line: String) {
    self.json = json
    self.line = line
  }

  /// Creates the report on a run of unary calls.
  ///
  /// - Parameters:
  ///   - overdue: The number of calls that were due in the window and not sent.
  ///   - unanswered: The number of calls without a response at the end of the run.
  init(_ plan: Plan, _ usage: Usage, _ tally: Tally, overdue: Int, unanswered: Int) {
    let rate = Double(tally.answered) / usage.seconds
    let all = tally.all
    let statuses: [(String, JSON)] = tally.statuses.indices.compactMap {
      let count = tally.statuses[$0]
      return count > 0 ? ("\($0)", .integer(count)) : nil
    }
    json = [
      "work": .string(plan.work.rawValue),
      "protocol": .string(plan.wireProtocol.rawValue),
      "connections": .integer(plan.connections),
      "in_flight": .integer(plan.inFlight),
      "rate": JSON(plan.rate),
      "seconds": .number(usage.seconds),
      "calls": .integer(tally.answered),
      "errors": .integer(tally.errors),
      "refused": .integer(tally.refused),
      "declined": .integer(tally.declined),
      "overdue": .integer(overdue),
      "unanswered": .integer(unanswered),
      "calls_per_second": .number(rate),
      "latency_microseconds": Percentiles(tally.latency)?.json ?? .null,
      "refused_latency_microseconds": Percentiles(tally.refusedLatency)?.json ?? .null,
      "server_cpu_microseconds_per_call": JSON(usage.server.flatMap { $0.microseconds(per: all) }),
      "client_cpu_microseconds_per_call": JSON(usage.client.microseconds(per: all)),
      "server_rss_kib": JSON(usage.memory?.resident),
      "server_peak_rss_kib": JSON(usage.memory?.peak),
      "statuses": .object(statuses),
      "messages": .array(tally.messages.texts.map { .string($0) }),
      "seed": .integer(Int(clamping: plan.seed)),
    ]
    let latency = Percentiles(tally.latency)
    line = """
      \(plan.work.rawValue) \(plan.connections)x\(plan.inFlight): \(Int(rate)) calls/s, \
      p50 \(latency?.p50 ?? 0) us, p99 \(latency?.p99 ?? 0) us, max \(latency?.max ?? 0) us, \
      \(tally.errors) errors, \(tally.refused) refused
      """
  }
}

extension UInt64 {
  /// Returns nanoseconds as microseconds per call; `nil` without calls.
  func microseconds(per calls: Int) -> Double? {
    calls > 0 ? Double(self) / 1000 / Double(calls) : nil
  }
}
