import NIOCore
import Testing

@testable import TTRPC

@Suite struct WasteMeterTests {
  @Test func `a connection may waste a limited number of frames per time span`() {
    var limits = ServerLimits()
    limits.wastedFramesPerSecond = 500
    var meter = WasteMeter()
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    for _ in 1...9 { meter.count(now: start) }
    #expect(!meter.isTooMuch(limits, now: start))
    meter.count(now: start + .milliseconds(19))
    #expect(meter.isTooMuch(limits, now: start + .milliseconds(19)))
    #expect(meter.end == start + .milliseconds(20))
    #expect(!meter.isTooMuch(limits, now: meter.end))
    // A new span starts at zero.
    meter.count(now: meter.end)
    #expect(!meter.isTooMuch(limits, now: start + .milliseconds(20)))
  }
}
