internal import TTRPC

/// The limits of a gRPC connection, which follow from those of the server.
extension ServerLimits {
  /// The maximum number of open streams.
  ///
  /// The limits on calls are lower, so that neither endless calls nor others keep a client from
  /// making calls of the other kind, or from asking for the server's health.
  var streamsPerGRPCConnection: Int {
    callsPerConnection + endlessCallsPerConnection + Self.spareStreams
  }

  /// The number of streams for calls that are answered at once.
  private static let spareStreams = 64

  var http2: HTTP2Session.Configuration {
    HTTP2Session.Configuration(
      maxConcurrentStreams: streamsPerGRPCConnection,
      streamWindow: min(effectiveQueuedBytesPerStream, Int(Int32.max)),
      connectionWindow: min(max(queuedBytesPerConnection, 65_535), Int(Int32.max)),
      maxHeaderListSize: Self.maximumHeaderListSize)
  }

  /// The maximum size of a request's header list, in bytes.
  static var maximumHeaderListSize: Int { 16_384 }

  /// A client may cancel all its calls at once.
  var resetLimit: GRPCResetLimit {
    GRPCResetLimit(
      burst: streamsPerGRPCConnection + wastedFramesPerSecond, perSecond: wastedFramesPerSecond)
  }

  /// The least number of frames of a call: headers and a message.
  static var framesPerGRPCCall: Int { 2 }

  /// The maximum number of bytes that are taken from a connection before others get their turn.
  ///
  /// Frames may be long, and each byte of headers may be a header.
  static var bytesPerGRPCTurn: Int { 16_384 }

  /// The number of unsent bytes of a stream from which its writer waits, and of a connection that
  /// are written at a time.
  static var maximumUnsentBytes: Int { 65_536 }
}
