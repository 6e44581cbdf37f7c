/// A path that a server serves over HTTP on its socket, for example for probes and scrapers.
///
/// ```
/// curl --unix-socket PATH http://localhost/healthz
/// ```
///
/// The server recognizes HTTP by a connection's first byte and answers `GET` and `HEAD`.
/// Interceptors run around each request, and see it as a call of the service ``serviceName``. The
/// limits on connections apply to HTTP, the limits on calls do not.
public struct HTTPRoute: Sendable {
  /// The name of the service that interceptors see for HTTP requests.
  public static let serviceName = "http"

  /// The absolute path without a query, such as `/healthz`.
  public let path: String
  let respond: @Sendable (ServerLoad) async throws(RPCError) -> HTTPResponse

  /// Creates a route.
  ///
  /// - Parameters:
  ///   - path: The absolute path without a query, such as `/healthz`.
  ///   - respond: Makes the response, given the server's current load. An error that it throws
  ///     becomes the closest HTTP status.
  public init(
    path: String,
    _ respond: @escaping @Sendable (ServerLoad) async throws(RPCError) -> HTTPResponse
  ) {
    self.path = path
    self.respond = respond
  }

  /// Returns the path of a request's target, without a query.
  ///
  /// The target is a path, or a URL such as `http://localhost/healthz`, which a server must accept,
  /// too. Source: RFC 9112, section 3.2.2.
  static func path(of target: String) -> String {
    var rest = target[...]
    if let separator = target.firstRange(of: "://"),
      ["http", "https"].contains(target[..<separator.lowerBound].lowercased())
    {
      rest = target[separator.upperBound...].drop { $0 != "/" && $0 != "?" }
      if rest.first != "/" { return "/" }
    }
    return String(rest.prefix { $0 != "?" })
  }

  /// The method that interceptors see for the route.
  var descriptor: MethodDescriptor {
    MethodDescriptor(service: Self.serviceName, name: String(path.drop { $0 == "/" }))
  }
}

/// A response to an HTTP request.
public struct HTTPResponse: Sendable, Hashable {
  /// The HTTP status code, such as 200.
  public var status: Int
  /// The value of the `Content-Type` header.
  public var contentType: String
  /// The bytes of the body, which a response to `HEAD` omits.
  public var body: [UInt8]

  /// Creates a response, by default with status 200 and a plain-text body.
  public init(
    status: Int = 200, contentType: String = "text/plain; charset=utf-8", body: [UInt8]
  ) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  /// Creates a plain-text response of one line, to which a line feed is added.
  public init(status: Int = 200, line: String) {
    self.init(status: status, body: Array("\(line)\n".utf8))
  }

  init(_ error: RPCError) {
    self.init(status: error.code.httpStatus, line: error.message)
  }
}

extension StatusCode {
  /// The HTTP status code that is closest in meaning.
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
