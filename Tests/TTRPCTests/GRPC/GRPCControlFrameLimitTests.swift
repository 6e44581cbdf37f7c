import NIOCore
import NIOHTTP2
import Testing

@testable import GRPC
@testable import TTRPC

/// The limit on frames that belong to no call.
@Suite struct GRPCControlFrameLimitTests {
  /// An event on a connection.
  enum Event: Sendable {
    case ping, settings, priority
    case pingAnswer, settingsAnswer, windowUpdate
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
        case .response: limit.responseWritten()
        case .seconds(let seconds): now = now + .seconds(seconds)
        case .times(let count, let events):
          for _ in 0..<count { if let excess = apply(events) { return excess } }
        default:
          frames += 1
          if let excess = limit.excess(of: Self.payload(event), at: now) {
            return (excess, frames)
          }
        }
      }
      return nil
    }

    private static func payload(_ event: Event) -> HTTP2Frame.FramePayload {
      switch event {
      case .ping: .ping(HTTP2PingData(), ack: false)
      case .pingAnswer: .ping(HTTP2PingData(), ack: true)
      case .settings: .settings(.settings([]))
      case .settingsAnswer: .settings(.ack)
      case .priority:
        .priority(.init(exclusive: false, dependency: 0, weight: 1))
      case .windowUpdate, .response, .seconds, .times: .windowUpdate(windowSizeIncrement: 1)
      }
    }
  }

  private static let accepted: [(String, [Event])] = [
    ("a PING every ten seconds", [.times(1000, [.ping, .seconds(10)])]),
    ("a PING for each response", [.times(1000, [.response, .ping])]),
    ("three PING frames for each response", [.times(1000, [.response, .ping, .ping, .ping])]),
    ("a PING with SETTINGS for each response", [.times(1000, [.response, .settings, .ping])]),
    ("SETTINGS at the beginning and a PING", [.settings, .ping, .settings, .ping]),
    ("answers", [.times(1000, [.pingAnswer, .settingsAnswer])]),
    ("changes of windows", [.times(1000, [.windowUpdate])]),
    ("11 SETTINGS and PRIORITY frames", [.times(11, [.settings, .priority])]),
  ]

  @Test(arguments: accepted)
  func `a well-behaved peer is accepted`(_ name: String, _ events: [Event]) {
    var connection = Connection()
    #expect(connection.apply(events) == nil, "\(name)")
  }

  private static let excessive: [(String, [Event], GRPCControlFrameLimit.Excess, Int)] = [
    ("PING frames", [.times(10, [.ping])], .pings, 4),
    ("a PING every nine seconds", [.times(10, [.ping, .seconds(9)])], .pings, 4),
    ("PING frames after a response", [.ping, .ping, .response, .times(9, [.ping])], .pings, 6),
    ("SETTINGS frames", [.times(200, [.settings])], .settings, 12),
    ("SETTINGS frames among others", [.times(200, [.settings, .priority])], .settings, 23),
    ("PRIORITY frames", [.times(200, [.priority])], .priorities, 12),
    (
      "early PING frames between others",
      [.times(4, [.ping, .seconds(1), .ping, .seconds(100)])], .pings, 6
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

/// The responses that wait for the peer's window.
@Suite struct GRPCUnsentResponsesTests {
  @Test func `bytes are counted until the stream is closed`() {
    var responses = GRPCUnsentResponses()
    #expect(responses.isEmpty)
    responses.append(100, of: 1)
    responses.append(20, of: 3)
    #expect(responses.bytes == 120)
    responses.streamClosed(5)
    #expect(responses.bytes == 120)
    responses.streamClosed(1)
    responses.streamClosed(1)
    #expect(responses.bytes == 20)
    #expect(!responses.isEmpty)
    responses.streamClosed(3)
    #expect(responses.bytes == 0)
    #expect(responses.isEmpty)
  }

  @Test func `the peer stalls from the first tick after the last closed stream`() {
    let time = (0..<10).map { NIODeadline.uptimeNanoseconds(UInt64($0)) }
    var responses = GRPCUnsentResponses()
    responses.ticked(at: time[1])
    #expect(responses.stalledSince == nil)
    responses.append(100, of: 1)
    responses.append(20, of: 3)
    #expect(responses.stalledSince == nil)
    responses.ticked(at: time[2])
    responses.ticked(at: time[3])
    #expect(responses.stalledSince == time[2])
    responses.streamClosed(5)
    #expect(responses.stalledSince == time[2])
    responses.streamClosed(1)
    responses.ticked(at: time[4])
    #expect(responses.stalledSince == time[4])
    responses.streamClosed(3)
    responses.ticked(at: time[5])
    #expect(responses.stalledSince == nil)
  }
}
