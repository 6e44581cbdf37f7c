internal import NIOCore

/// The receiver of an ``HTTP2Session``'s events, and the source of its data.
///
/// The session calls the functions while it receives or sends, so none of them may do so itself.
protocol HTTP2SessionEvents: AnyObject {
  /// Handles the beginning of a header list, whose headers follow.
  func headersBegan()

  /// Handles a header. The memory is valid until the function returns.
  ///
  /// The session accepts headers of any name and value, in any order; see ``HTTP2RequestRules``.
  func headerReceived(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)

  /// Handles the end of a header list.
  ///
  /// - Parameters:
  ///   - isRequest: True if the list opens the stream; false if it is the stream's trailers.
  ///   - endsStream: True if the peer sends nothing more on the stream.
  func headersEnded(_ streamID: UInt32, isRequest: Bool, endsStream: Bool)

  /// Handles a piece of a DATA frame. The memory is valid until the function returns.
  ///
  /// - Parameter endsStream: True if the frame is the stream's last one.
  func dataReceived(_ streamID: UInt32, _ bytes: UnsafeRawBufferPointer, endsStream: Bool)

  /// Handles the end of a DATA frame, after its pieces.
  func dataEnded(_ streamID: UInt32, isEmpty: Bool, endsStream: Bool)

  /// Handles a PING or SETTINGS frame that is not an acknowledgment.
  func controlFrameReceived(_ kind: GRPCControlFrameLimit.Kind)

  /// Handles a frame that is an error of its stream, which the session resets, if it exists.
  func invalidFrameReceived(_ streamID: UInt32)

  /// Handles the end of a stream, in both directions or by a reset.
  ///
  /// - Parameter isReset: True if a reset has ended it, other than one without an error.
  func streamClosed(_ streamID: UInt32, isReset: Bool)

  /// Handles the sending of headers or trailers.
  func headersSent()

  /// Returns the data that a stream may send next.
  ///
  /// - Parameter limit: The maximum number of bytes, at least 1.
  /// - Returns: `nil` if there is none until ``HTTP2Session/resume(_:)`` is called.
  func nextData(_ streamID: UInt32, limit: Int) -> HTTP2Session.OutgoingData?

  /// Moves the bytes that ``nextData(_:limit:)`` has returned from a stream to the output.
  func moveData(_ streamID: UInt32, _ count: Int, to output: inout ByteBuffer)
}
