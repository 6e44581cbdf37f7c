/// Counts the frames of a client that cost the server work and serve no call.
///
/// A client sends a few frames for each message: changes of windows, PING, and their
/// acknowledgments. Further frames are wasted, of whatever kind: changes of a window by one byte,
/// PRIORITY, or data of ended streams.
struct GRPCFrameWorth {
  /// The number of frames that are accepted for each read from the socket, and for each request or
  /// piece of data.
  private static let framesPerEvent = 8
  /// The number of sent bytes for which a client may send a frame.
  private static let bytesPerFrame = 16
  /// The number of accepted frames that the client may send in later turns.
  private static let maximumLeft = 1024

  private var accepted = 0
  private var total = 0

  /// Notes a read from the socket.
  mutating func bytesReceived() { accepted += Self.framesPerEvent }

  /// Notes a request, or data of one.
  mutating func requestReceived() { accepted += Self.framesPerEvent }

  /// Notes data of a response.
  mutating func responseSent(_ bytes: Int) { accepted += bytes / Self.bytesPerFrame }

  /// Returns the number of wasted frames of a turn, and begins the next one.
  ///
  /// - Parameter total: The number of frames that the client has sent so far.
  mutating func wastedFrames(total: Int) -> Int {
    let left = accepted - (total - self.total)
    self.total = total
    accepted = min(max(left, 0), Self.maximumLeft)
    return max(-left, 0)
  }
}
