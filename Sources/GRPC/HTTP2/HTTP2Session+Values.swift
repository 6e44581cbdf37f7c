extension HTTP2Session {
  /// The settings that the server announces, and the limits that it applies.
  struct Configuration {
    var maxConcurrentStreams: Int
    /// The flow-control window of each stream, in bytes.
    var streamWindow: Int
    /// The flow-control window of the connection, in bytes, at least the protocol's 65 535.
    var connectionWindow: Int
    /// The maximum size of a header list, in bytes, as HTTP/2 counts it.
    var maxHeaderListSize: Int
  }

  /// Data that a stream sends next.
  struct OutgoingData {
    var count: Int
    /// The trailers, if these are the last bytes of the stream.
    var trailers: HTTP2HeaderList?
  }

  /// The codes of errors (RFC 9113, section 7).
  enum ErrorCode: UInt32 {
    case none = 0
    case protocolError = 1
    case internalError = 2
    case cancel = 8
    case enhanceYourCalm = 11
  }
}
