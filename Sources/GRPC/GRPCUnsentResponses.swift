internal import NIOCore
internal import TTRPC

/// The responses of ended calls that the peer's flow control may hold back.
struct GRPCUnsentResponses {
  private var sizes: [UInt32: Int] = [:]
  /// The size of all responses, in bytes.
  private(set) var bytes = 0
  /// The time of the first tick after the last sent response, if responses wait.
  private(set) var stalledSince: NIODeadline?

  var isEmpty: Bool { sizes.isEmpty }

  /// Adds the response of a stream.
  mutating func append(_ size: Int, of streamID: UInt32) {
    sizes[streamID] = size
    bytes += size
  }

  /// Removes the response of a stream that is closed, which means that it was sent or discarded.
  mutating func streamClosed(_ streamID: UInt32) {
    guard let size = sizes.removeValue(forKey: streamID) else { return }
    bytes -= size
    stalledSince = nil
  }

  /// Notes the time, once in each tick of the connection's watch.
  mutating func ticked(at now: NIODeadline) {
    if !isEmpty, stalledSince == nil { stalledSince = now }
  }
}
