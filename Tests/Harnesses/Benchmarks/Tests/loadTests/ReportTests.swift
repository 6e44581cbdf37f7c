import Testing

@testable import load

@Suite struct ReportTests {
  @Test func `each answer counts once, under its status`() throws {
    var tally = Tally()
    tally.succeeded(after: 1000)
    tally.declined(isDone: true, after: 2000)
    tally.declined(isDone: false, after: 2000)
    for code: UInt8 in [8, 8, 14, 99] {
      let body: [UInt8] = [0x0a, 7, 8, code, 0x12, 3, 97, 98, 99]
      try unsafe body.withUnsafeBytes {
        tally.failed(try #require(unsafe Answer($0)), after: 3_000_000)
      }
    }
    #expect(tally.answered == 2)
    #expect(tally.declined == 2)
    #expect(tally.refused == 2)
    #expect(tally.errors == 2)
    #expect(tally.all == 7)
    #expect(tally.statuses[0] == 3 && tally.statuses[14] == 1 && tally.statuses[17] == 1)
    #expect(tally.messages.texts == ["abc"])
    #expect(Percentiles(tally.latency)?.max == 2)
    #expect(Percentiles(tally.refusedLatency).map { abs($0.max / 3000 - 1) < 0.001 } == true)
  }

  @Test func `the first five distinct messages are kept`() {
    var messages = DistinctMessages()
    for text in ["a", "b", "a", "c", "d", "e", "f"] { messages.note { text } }
    #expect(messages.texts == ["a", "b", "c", "d", "e"])
  }

  @Test func `percentiles are within a thousandth, in microseconds`() throws {
    var tally = Tally()
    #expect(Percentiles(tally.latency) == nil)
    for value in 1...100_000 as ClosedRange<UInt64> { tally.succeeded(after: value * 1000) }
    // Longer latencies count as an hour.
    tally.succeeded(after: .max)
    let percentiles = try #require(Percentiles(tally.latency))
    #expect(abs(percentiles.p50 / 50_000 - 1) < 0.001)
    #expect(abs(percentiles.p99 / 99_000 - 1) < 0.001)
    #expect(abs(percentiles.p99_99 / 99_990 - 1) < 0.001)
    #expect(abs(percentiles.max / 3.6e9 - 1) < 0.001)
  }

  @Test func `a JSON value keeps the order of its members and stays on one line`() {
    let value: JSON = [
      "b": .integer(1), "a": .array([.number(0.12345), .null, .number(.nan)]),
      "text": .string("\"line\"\n\\é"),
    ]
    #expect(
      value.text == #"{"b":1,"a":[0.123,null,null],"text":"\"line\"\u000a\\é"}"#)
  }

  @Test func `the processor time is read whatever the name of the process`() throws {
    let stat = "7 (a) b 1 2) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 3 4 20 0 1 0 100 1 1"
    #expect(try ServerProcess.ticks(ofStat: stat) == 300)
    #expect(throws: LoadError.self) { try ServerProcess.ticks(ofStat: "7 (a) S 1") }
  }

  @Test func `the resident memory and its peak are read`() throws {
    let status = "Name:\tx\nVmPeak:\t  9 kB\nVmHWM:\t  300 kB\nVmRSS:\t  200 kB\n"
    #expect(
      try ServerProcess.memory(ofStatus: status) == .init(resident: 200, peak: 300))
    #expect(throws: LoadError.self) { try ServerProcess.memory(ofStatus: "State:\tZ\n") }
  }
}
