internal import NIOCore
internal import TTRPC

/// Decides when a peer sends too many frames that belong to no call but cost the server work.
///
/// A PING or SETTINGS frame is early if no response was sent since the last frame of its kind, and
/// less than ``interval`` has passed. Clients that measure the connection's bandwidth send a PING
/// for each piece of a response, so the number of frames alone shows nothing. The rule for PING
/// frames is gRPC's, with a shorter interval. See
/// <https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md>.
struct GRPCControlFrameLimit {
  /// A kind of frame that costs the server work.
  enum Kind {
    case ping, settings
    /// A DATA frame without data that does not end its stream.
    case emptyData
  }

  /// The kind of frame that a peer sends too often.
  ///
  /// The raw value is the debug data of the GOAWAY frame. Clients know `too_many_pings`, and then
  /// send PING frames less often.
  enum Excess: String {
    case pings = "too_many_pings"
    case settings = "too_many_settings"
    case emptyData = "too_many_empty_data"
    case resets = "too_many_resets"
  }

  /// The shortest interval of PING frames that gRPC's clients let their users set.
  static let interval: TimeAmount = .seconds(10)
  /// The number of early PING frames that are accepted between two responses.
  static let maximumEarlyPings = 2
  /// The number of early SETTINGS frames that are accepted between two responses.
  ///
  /// A change of the initial window costs work for each open stream.
  static let maximumEarlySettings = 10
  /// The number of empty DATA frames that are accepted between two responses.
  static let maximumEmptyData = 100

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
  private var emptyData = 0
  private var hasCounted = false

  /// Records that a response was sent.
  mutating func responseSent() {
    guard hasCounted else { return }
    self = GRPCControlFrameLimit()
  }

  /// Counts a frame from the peer, and returns a value if it is one too many.
  mutating func excess(of kind: Kind, at now: @autoclosure () -> NIODeadline) -> Excess? {
    hasCounted = true
    switch kind {
    case .ping: return pings.count(at: now(), limit: Self.maximumEarlyPings) ? .pings : nil
    case .settings:
      return settings.count(at: now(), limit: Self.maximumEarlySettings) ? .settings : nil
    case .emptyData:
      emptyData += 1
      return emptyData > Self.maximumEmptyData ? .emptyData : nil
    }
  }
}

/// Decides when too many streams of a peer have ended in a reset or an error.
///
/// Such a stream costs the server the start and the cancellation of a call, and does not count
/// against the maximum number of streams. The limit is a token bucket.
struct GRPCResetLimit {
  private let burst: Double
  private let perSecond: Double
  private var tokens: Double
  private var last: NIODeadline?

  /// Creates a limit of a number of resets at once, and of a rate.
  init(burst: Int, perSecond: Int) {
    self.burst = Double(burst)
    self.perSecond = Double(perSecond)
    tokens = self.burst
  }

  /// Counts a reset, and returns whether it is one too many.
  mutating func isExceeded(at now: NIODeadline) -> Bool {
    if let last {
      tokens = min(burst, tokens + Double((now - last).nanoseconds) / 1e9 * perSecond)
    }
    last = now
    guard tokens >= 1 else { return true }
    tokens -= 1
    return false
  }
}
