/// How one call is made.
public struct CallOptions: Sendable, Hashable {
  /// How long the call may take, from now: connecting, writing and waiting, and every time it is sent
  /// again. It travels with the call, so that the server stops too. `nil`: without end.
  public var timeout: Duration?
  /// What travels beside the request.
  public var metadata: Metadata
  /// Whether to wait for a server that cannot be reached, until ``timeout``, rather than to fail at
  /// once with ``StatusCode/unavailable``.
  public var waitsForReady: Bool

  public init(
    timeout: Duration? = nil, metadata: Metadata = Metadata(), waitsForReady: Bool = false
  ) {
    self.timeout = timeout
    self.metadata = metadata
    self.waitsForReady = waitsForReady
  }
}
