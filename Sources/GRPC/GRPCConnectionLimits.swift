internal import NIOCore
internal import NIOHTTP2
internal import TTRPC

extension NIOHTTP2Handler.ConnectionConfiguration {
  /// The settings of a server's connection, and the limits at which NIOHTTP2 closes it.
  init(_ limits: ServerLimits) {
    self.init()
    initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.callsPerConnection),
      HTTP2Setting(
        parameter: .initialWindowSize,
        value: min(limits.effectiveQueuedBytesPerStream, Int(Int32.max))),
      HTTP2Setting(parameter: .maxHeaderListSize, value: Self.maximumHeaderListSize),
      HTTP2Setting(parameter: .enablePush, value: 0),
    ]
    // The server can end all streams of a connection at once while their client still sends. Frames
    // of a stream that NIOHTTP2 has forgotten end the connection.
    maximumRecentlyResetStreams = limits.callsPerConnection
    // All streams can have headers, trailers and a reset to write, and as many changes of windows.
    maximumBufferedControlFrames = 4 * limits.callsPerConnection + 100
    // The count restarts only at HEADERS and at the end of a stream; a client may well send some
    // empty frames in between.
    maximumSequentialEmptyDataFrames = 100
    // NIOHTTP2 counts PING frames even if each follows a response, as those of a client do that
    // measures bandwidth. The handler has a limit of its own, `GRPCControlFrameLimit`; this one
    // stops a peer that sends nothing else.
    controlFrameRateLimit.maximumCount = 200
    controlFrameRateLimit.windowLength = .milliseconds(1)
    // The frames that a client had sent when it read GOAWAY are errors of their streams.
    maximumConnectionGlitches = limits.callsPerConnection + 200
  }

  /// The maximum size of a request's header list, in bytes.
  private static let maximumHeaderListSize = 16_384
}

extension NIOHTTP2Handler.StreamConfiguration {
  /// The limits on errors of streams, above which NIOHTTP2 closes the connection.
  init(_ limits: ServerLimits) {
    self.init()
    // A client may cancel all its calls at once.
    streamResetFrameRateLimit.maximumCount =
      limits.callsPerConnection + limits.wastedFramesPerSecond
    streamResetFrameRateLimit.windowLength = .seconds(1)
    streamErrorRateLimit.maximumCount = limits.callsPerConnection + 200
    streamErrorRateLimit.windowLength = .seconds(30)
  }
}
