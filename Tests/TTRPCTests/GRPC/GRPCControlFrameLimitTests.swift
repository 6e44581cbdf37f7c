import NIOCore
import Testing

@testable import GRPC
@testable import TTRPC

/// The limit on frames that belong to no call.
@Suite struct GRPCControlFrameLimitTests {
  /// An event on a connection.
  enum Event: Sendable {
    case frame(GRPCControlFrameLimit.Kind)
    case response
    case seconds(Int64)
    indirect case times(Int, [Event])
  }

  private struct Connection {
    var limit = GRPCControlFrameLimit()
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    var frames = 0

    /// Returns the first excess, after how many frames it is found.
    mutating func apply(_ events: [Event]) -> (GRPCControlFrameLimit.Excess, Int)? {
      for event in events {
        switch event {
        case .response: limit.responseSent()
        case .seconds(let seconds): now = now + .seconds(seconds)
        case .times(let count, let events):
          for _ in 0..<count { if let excess = apply(events) { return excess } }
        case .frame(let kind):
          frames += 1
          if let excess = limit.excess(of: kind, at: now) { return (excess, frames) }
        }
      }
      return nil
    }
  }

  private static let ping = Event.frame(.ping)
  private static let settings = Event.frame(.settings)
  private static let empty = Event.frame(.emptyData)

  private static let accepted: [(String, [Event])] = [
    ("a PING every ten seconds", [.times(1000, [ping, .seconds(10)])]),
    ("a PING for each response", [.times(1000, [.response, ping])]),
    ("three PING frames for each response", [.times(1000, [.response, ping, ping, ping])]),
    ("a PING with SETTINGS for each response", [.times(1000, [.response, settings, ping])]),
    ("SETTINGS at the beginning and a PING", [settings, ping, settings, ping]),
    ("11 SETTINGS frames", [.times(11, [settings])]),
    ("100 empty DATA frames for each response", [.times(10, [.times(100, [empty]), .response])]),
  ]

  @Test(arguments: accepted)
  func `a well-behaved peer is accepted`(_ name: String, _ events: [Event]) {
    var connection = Connection()
    #expect(connection.apply(events) == nil, "\(name)")
  }

  private static let excessive: [(String, [Event], GRPCControlFrameLimit.Excess, Int)] = [
    ("PING frames", [.times(10, [ping])], .pings, 4),
    ("a PING every nine seconds", [.times(10, [ping, .seconds(9)])], .pings, 4),
    ("PING frames after a response", [ping, ping, .response, .times(9, [ping])], .pings, 6),
    ("SETTINGS frames", [.times(200, [settings])], .settings, 12),
    ("SETTINGS frames among others", [.times(200, [settings, empty])], .settings, 23),
    ("empty DATA frames", [.times(200, [empty])], .emptyData, 101),
    (
      "early PING frames between others",
      [.times(4, [ping, .seconds(1), ping, .seconds(100)])], .pings, 6
    ),
  ]

  @Test(arguments: excessive)
  func `a frame too many is found`(
    _ name: String, _ events: [Event], _ excess: GRPCControlFrameLimit.Excess, _ frames: Int
  ) {
    var connection = Connection()
    let result = connection.apply(events)
    #expect(result?.0 == excess, "\(name)")
    #expect(result?.1 == frames, "\(name)")
  }
}

/// The limit on streams that end in a reset.
@Suite struct GRPCResetLimitTests {
  private static let begin = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  /// Counts resets at times after the beginning, and returns those that are one too many.
  private static func excess(
    _ limit: GRPCResetLimit, _ times: [TimeAmount]
  ) -> [TimeAmount] {
    var limit = limit
    return times.filter { limit.isExceeded(at: begin + $0) }
  }

  @Test func `so many resets are accepted at once, and then at a rate`() {
    let limit = GRPCResetLimit(burst: 5, perSecond: 2)
    let atOnce = [TimeAmount](repeating: .zero, count: 5)
    #expect(Self.excess(limit, atOnce).isEmpty)
    let more: [TimeAmount] = [.zero, .milliseconds(499), .milliseconds(501), .milliseconds(502)]
    #expect(
      Self.excess(limit, atOnce + more) == [.zero, .milliseconds(499), .milliseconds(502)])
  }

  @Test func `a pause permits no more than the burst`() {
    let limit = GRPCResetLimit(burst: 3, perSecond: 2)
    let later = [TimeAmount](repeating: .hours(1), count: 4)
    #expect(Self.excess(limit, [.zero] + later) == [.hours(1)])
  }
}
