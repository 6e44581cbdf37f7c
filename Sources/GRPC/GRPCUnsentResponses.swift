internal import NIOCore
internal import TTRPC

/// The responses of ended calls that the peer's flow control may hold back.
struct GRPCUnsentResponses {
  private var sizes: [UInt32: Int] = [:]
  /// The size of all responses, in bytes.
  private(set) var bytes = 0
  /// The time since which responses wait and none was sent; `nil` if none waits.
  private(set) var stalledSince: NIODeadline?

  /// Adds the response of a stream.
  mutating func append(_ size: Int, of streamID: UInt32, at now: @autoclosure () -> NIODeadline) {
    sizes[streamID] = size
    bytes += size
    if stalledSince == nil { stalledSince = now() }
  }

  /// Removes the response of a stream that is closed, which means that it was sent or discarded.
  mutating func streamClosed(_ streamID: UInt32, at now: @autoclosure () -> NIODeadline) {
    guard let size = sizes.removeValue(forKey: streamID) else { return }
    bytes -= size
    stalledSince = sizes.isEmpty ? nil : now()
  }
}
