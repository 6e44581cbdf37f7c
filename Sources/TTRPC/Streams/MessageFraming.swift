package import NIOCore

/// The prefix that a wire format puts before each message of a stream.
package struct MessageFraming: Sendable {
  /// The number of bytes before each message.
  package let prefixLength: Int
  /// Writes the prefix of a message.
  package let writePrefix:
    @Sendable (_ buffer: inout ByteBuffer, _ length: Int, _ streamID: UInt32) -> Void

  /// Returns the size of the only response of a call, which the limit on messages applies to.
  let responseSize: @Sendable (_ length: Int) -> Int

  package init(
    prefixLength: Int,
    writePrefix: @escaping @Sendable (inout ByteBuffer, Int, UInt32) -> Void,
    responseSize: @escaping @Sendable (Int) -> Int
  ) {
    self.prefixLength = prefixLength
    self.writePrefix = writePrefix
    self.responseSize = responseSize
  }

  /// Counts the only response of a call, and returns it.
  ///
  /// - Throws: RESOURCE_EXHAUSTED if the response exceeds the limit.
  func checked(
    _ response: [UInt8], _ limits: WireLimits, _ traffic: CallTraffic
  ) throws(RPCError) -> [UInt8] {
    guard responseSize(response.count) <= limits.maximumMessageSize else {
      throw .responseTooLong(limit: limits.maximumMessageSize)
    }
    traffic.sent(response.count)
    return response
  }

  /// The framing of ttrpc: each message is a data frame.
  static let ttrpc = MessageFraming(
    prefixLength: FrameHeader.byteCount,
    writePrefix: { buffer, length, streamID in
      buffer.writeFrameHeader(
        FrameHeader(
          length: UInt32(length), streamID: streamID, type: FrameType.data.rawValue, flags: []))
    },
    responseSize: { WireResponse.byteCount(ofPayload: $0) })
}
