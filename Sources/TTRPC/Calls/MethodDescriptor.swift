/// The number of messages that a call sends in each direction.
public enum CallShape: Sendable, Hashable {
  /// One request and one response.
  case unary
  /// One request and any number of responses.
  case serverStreaming
  /// Any number of requests and one response.
  case clientStreaming
  /// Any number of requests and responses, sent independently of each other.
  case bidirectional

  /// True if the client sends a stream of requests.
  public var streamsRequests: Bool { self == .clientStreaming || self == .bidirectional }

  /// True if the server sends a stream of responses.
  public var streamsResponses: Bool { self == .serverStreaming || self == .bidirectional }
}

/// A method's names and the properties that a caller needs.
///
/// Generated client stubs contain one for each method.
public struct MethodDescriptor: Sendable, Hashable {
  /// The service's full name in the `.proto` file, package included.
  public let service: String
  /// The method's name in the `.proto` file, without the service.
  public let name: String
  /// The number of requests and responses that a call of the method has.
  public let shape: CallShape
  /// True if calling the method again has no further effect.
  ///
  /// Generated from `idempotency_level` in the `.proto` file. ``Retrying`` only retries such
  /// methods.
  public let isIdempotent: Bool

  /// Creates a descriptor; generated stubs do so for each method of a `.proto` file.
  ///
  /// - Parameters:
  ///   - service: The service's full name, package included.
  ///   - name: The method's name, without the service.
  ///   - shape: The number of requests and responses that a call has.
  ///   - isIdempotent: True if calling the method again has no further effect, so that ``Retrying``
  ///     may retry it.
  public init(
    service: String, name: String, shape: CallShape = .unary, isIdempotent: Bool = false
  ) {
    self.service = service
    self.name = name
    self.shape = shape
    self.isIdempotent = isIdempotent
  }

  /// The service's full name and the method's name, separated by a slash.
  public var fullName: String { "\(service)/\(name)" }
}
