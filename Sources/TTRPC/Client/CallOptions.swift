/// The options of one call.
public struct CallOptions: Sendable, Hashable {
  /// The time that the call may take, or nil for no limit.
  ///
  /// It starts when the call is made and covers connecting, sending, waiting and all retries. The
  /// timeout is sent to the server, which then ends the call as well.
  public var timeout: Duration?
  /// The metadata to send with the request.
  public var metadata: Metadata
  /// True if the call waits, until ``timeout``, for a server that cannot be reached.
  ///
  /// Otherwise such a call fails immediately with ``StatusCode/unavailable``.
  public var waitsForReady: Bool

  /// Creates options; by default a call has no timeout and does not wait for the server.
  public init(
    timeout: Duration? = nil, metadata: Metadata = Metadata(), waitsForReady: Bool = false
  ) {
    self.timeout = timeout
    self.metadata = metadata
    self.waitsForReady = waitsForReady
  }
}
