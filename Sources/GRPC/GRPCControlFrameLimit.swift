internal import NIOCore
internal import NIOHTTP2
internal import TTRPC

/// Decides when a peer sends too many frames that belong to no call but cost the server work.
///
/// A frame is early if no response was sent since the last frame of its kind, and less than
/// ``interval`` has passed. Clients that measure the connection's bandwidth send a PING for each
/// piece of a response, so the number of frames alone shows nothing. The rule for PING frames is
/// gRPC's, with a shorter interval. See
/// <https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md>.
struct GRPCControlFrameLimit {
  /// The kind of frame that a peer sends too often.
  ///
  /// The raw value is the debug data of the GOAWAY frame. Clients know `too_many_pings`, and then
  /// send PING frames less often.
  enum Excess: String {
    case pings = "too_many_pings"
    case settings = "too_many_settings"
    case priorities = "too_many_priorities"
  }

  /// The shortest interval of PING frames that gRPC's clients let their users set.
  static let interval: TimeAmount = .seconds(10)
  /// The number of early PING frames that are accepted between two responses.
  static let maximumEarlyPings = 2
  /// The number of early SETTINGS or PRIORITY frames that are accepted between two responses.
  ///
  /// A change of the initial window costs work for each open stream.
  static let maximumEarlyFrames = 10

  private struct Counter {
    var last: NIODeadline?
    var early = 0

    /// Counts a frame, and returns whether more than `limit` were early.
    mutating func count(at now: NIODeadline, limit: Int) -> Bool {
      defer { last = now }
      if let last, now - last < GRPCControlFrameLimit.interval { early += 1 }
      return early > limit
    }
  }

  private var pings = Counter()
  private var settings = Counter()
  private var priorities = Counter()
  private var hasCounted = false

  /// Records that a response frame was written.
  mutating func responseWritten() {
    guard hasCounted else { return }
    self = GRPCControlFrameLimit()
  }

  /// Counts a frame from the peer, and returns a value if it is one too many.
  mutating func excess(
    of payload: HTTP2Frame.FramePayload, at now: @autoclosure () -> NIODeadline
  ) -> Excess? {
    switch payload {
    case .ping(_, ack: false):
      hasCounted = true
      return pings.count(at: now(), limit: Self.maximumEarlyPings) ? .pings : nil
    case .settings(.settings):
      hasCounted = true
      return settings.count(at: now(), limit: Self.maximumEarlyFrames) ? .settings : nil
    case .priority:
      hasCounted = true
      return priorities.count(at: now(), limit: Self.maximumEarlyFrames) ? .priorities : nil
    default:
      return nil
    }
  }
}
