/// How one call is made.
public struct CallOptions: Sendable, Hashable {
  /// How long to wait for the answer, from now: connecting, writing and waiting together. It travels
  /// with the call, so that the server stops too. `nil`: without end.
  public var timeout: Duration?
  /// What travels beside the request.
  public var metadata: Metadata

  public init(timeout: Duration? = nil, metadata: Metadata = Metadata()) {
    self.timeout = timeout
    self.metadata = metadata
  }
}
