/// A path that a server answers to `GET` requests on its socket, as for probes and scrapers:
/// `curl --unix-socket PATH http://localhost/healthz`.
///
/// HTTP is told apart by a connection's first byte, and speaks under the same interceptors and limits
/// as calls do. To the interceptors it is a call of the service ``HTTPRoute/serviceName``.
public struct HTTPRoute: Sendable {
  /// The service that interceptors see.
  public static let serviceName = "http"

  /// Such as `/healthz`.
  public let path: String
  let respond: @Sendable (ServerLoad) async throws(RPCError) -> HTTPResponse

  /// - Parameter respond: What the path answers, given what the server is doing. An error it throws
  ///   becomes the HTTP status that is nearest to its own.
  public init(
    path: String,
    _ respond: @escaping @Sendable (ServerLoad) async throws(RPCError) -> HTTPResponse
  ) {
    self.path = path
    self.respond = respond
  }

  /// What interceptors see as the method.
  var descriptor: MethodDescriptor {
    MethodDescriptor(service: Self.serviceName, name: String(path.drop { $0 == "/" }))
  }
}

/// What a path answers.
public struct HTTPResponse: Sendable, Hashable {
  public var status: Int
  public var contentType: String
  public var body: [UInt8]

  public init(
    status: Int = 200, contentType: String = "text/plain; charset=utf-8", body: [UInt8]
  ) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  /// A line of text.
  public init(status: Int = 200, line: String) {
    self.init(status: status, body: Array("\(line)\n".utf8))
  }

  init(_ error: RPCError) {
    self.init(status: error.code.httpStatus, line: error.message)
  }
}

extension StatusCode {
  /// The HTTP status that says it best.
  var httpStatus: Int {
    switch self {
    case .ok: 200
    case .invalidArgument, .failedPrecondition, .outOfRange: 400
    case .unauthenticated: 401
    case .permissionDenied: 403
    case .notFound, .unimplemented: 404
    case .alreadyExists, .aborted: 409
    case .resourceExhausted: 429
    case .cancelled: 499
    case .unavailable: 503
    case .deadlineExceeded: 504
    case .unknown, .internalError, .dataLoss: 500
    }
  }
}
