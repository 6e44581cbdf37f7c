import NIOCore
import Testing

@testable import TTRPC

@Suite struct WasteMeterTests {
  @Test func `a connection may waste a limited number of frames per time span`() {
    var limits = ServerLimits.patient
    limits.wastedFramesPerSecond = 500
    var meter = WasteMeter(limits)
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    for _ in 1...9 { meter.count(now: start) }
    #expect(!meter.isTooMuch(now: start))
    meter.count(now: start + .milliseconds(19))
    #expect(meter.isTooMuch(now: start + .milliseconds(19)))
    #expect(meter.end == start + .milliseconds(20))
    #expect(!meter.isTooMuch(now: meter.end))
    // A new span starts at zero.
    meter.count(now: meter.end)
    #expect(!meter.isTooMuch(now: start + .milliseconds(20)))
  }

  @Test func `many frames at once take the time that the rate demands`() {
    var limits = ServerLimits.patient
    limits.wastedFramesPerSecond = 500
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    let ends = [10, 11, 100, 500, 5000].map { frames in
      var meter = WasteMeter(limits)
      meter.count(frames, now: start)
      return meter.end
    }
    // A connection is never paused for more than a second.
    #expect(ends == [20, 22, 200, 1000, 1000].map { start + .milliseconds($0) })
  }
}
