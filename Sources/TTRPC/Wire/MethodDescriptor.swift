/// How many messages go each way in a call.
public enum CallShape: Sendable, Hashable {
  /// One request, one response.
  case unary
  /// One request, any number of responses.
  case serverStreaming
  /// Any number of requests, one response.
  case clientStreaming
  /// Any number of both, independently of each other.
  case bidirectional

  /// Whether requests are a stream.
  public var streamsRequests: Bool { self == .clientStreaming || self == .bidirectional }

  /// Whether responses are a stream.
  public var streamsResponses: Bool { self == .serverStreaming || self == .bidirectional }
}

/// A method's names and what a caller has to know of it. Generated client stubs hold one for each.
public struct MethodDescriptor: Sendable, Hashable {
  /// The service's full name in the `.proto` file, package included.
  public let service: String
  /// The method's bare name.
  public let name: String
  public let shape: CallShape
  /// Whether calling it twice is as good as once: the `.proto` file's `idempotency_level` says so.
  public let isIdempotent: Bool

  public init(
    service: String, name: String, shape: CallShape = .unary, isIdempotent: Bool = false
  ) {
    self.service = service
    self.name = name
    self.shape = shape
    self.isIdempotent = isIdempotent
  }

  /// Both names, with a slash between them.
  public var fullName: String { "\(service)/\(name)" }
}
