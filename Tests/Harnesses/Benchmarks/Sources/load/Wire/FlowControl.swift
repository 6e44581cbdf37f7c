/// The flow control of a connection.
///
/// The windows of streams are not counted: each carries one short message in each direction.
struct FlowControl {
  /// The received bytes after which a WINDOW_UPDATE lets the server send as many again.
  private static let step = 1 << 20
  /// The window of a new connection in HTTP/2, in both directions.
  private static let initialWindow = 65_535

  /// The bytes of data that may be sent.
  var sendWindow: Int
  /// The received bytes since the last WINDOW_UPDATE.
  private var ungranted = 0

  /// Creates the flow control of a connection, and buffers the bytes that open the connection.
  init(_ wireProtocol: WireProtocol, _ unsent: inout SendBuffer) {
    switch wireProtocol {
    case .ttrpc:
      sendWindow = .max
    case .grpc:
      sendWindow = Self.initialWindow
      unsent.append(contentsOf: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))
      unsent.append(contentsOf: HTTP2FrameHeader.frame(kind: HTTP2FrameHeader.Kind.settings))
      unsent.append(contentsOf: HTTP2FrameHeader.windowUpdate(2 * Self.step))
    }
  }

  /// Counts received bytes of data, and lets the server send more.
  @inline(__always)
  mutating func received(_ count: Int, _ unsent: inout SendBuffer) {
    ungranted &+= count
    guard ungranted >= Self.step else { return }
    unsent.append(contentsOf: HTTP2FrameHeader.windowUpdate(ungranted))
    ungranted = 0
  }
}
