import Testing

@testable import load

@Suite struct TimeTests {
  @Test func `calls are due at even intervals, on the connections in turn`() {
    let schedule = Schedule(start: 1000, rate: 1e6, connections: 2)
    #expect((0..<3).map { schedule.due(connection: 0, number: $0) } == [1000, 3000, 5000])
    #expect((0..<3).map { schedule.due(connection: 1, number: $0) } == [2000, 4000, 6000])
  }

  @Test(arguments: [1, 999, 3000, 1e6, 3.7e6])
  func `the number of due calls agrees with the due times`(_ rate: Double) {
    let schedule = Schedule(start: 1000, rate: rate, connections: 3)
    let time: UInt64 = 5_000_500_000
    for connection in 0..<3 {
      let count = schedule.dueCount(connection: connection, at: time)
      #expect(schedule.due(connection: connection, number: count) >= time)
      if count > 0 {
        #expect(schedule.due(connection: connection, number: count - 1) <= time)
      }
    }
    #expect(schedule.dueCount(connection: 0, at: 0) == 0)
  }

  @Test func `a run warms up, measures, drains and ends`() {
    var window = Window(start: 100, warmup: 10, measured: 20)
    #expect(window.advance(to: 109) == false)
    #expect(window.advance(to: 115) && window.phase == .measuring)
    // The phase began five late, and keeps its full length.
    #expect(window.phaseEnd == 135)
    #expect(window.advance(to: 134) == false)
    #expect(window.advance(to: 135) && window.phase == .draining)
    window.drained()
    #expect(window.phase == .over)
  }

  @Test func `a drain that takes too long is abandoned`() {
    var window = Window(start: 0, warmup: 0, measured: 1)
    #expect(window.advance(to: 0) && window.advance(to: 1))
    #expect(window.advance(to: Window.maxDrainTime) == false)
    #expect(window.advance(to: 1 + Window.maxDrainTime) && window.phase == .over)
  }
}
