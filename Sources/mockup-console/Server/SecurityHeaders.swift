internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore

/// Adds the headers that restrict what browsers do with a response, to every response.
struct SecurityHeaders: RouterMiddleware {
  typealias Context = ConsoleContext

  /// The policy: no scripts, no frames, style and forms of this server only, images with https.
  static let contentSecurityPolicy =
    "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; "
    + "base-uri 'none'; frame-ancestors 'none'"

  func handle(
    _ request: Request, context: ConsoleContext,
    next: @concurrent (Request, ConsoleContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    for (name, value) in Self.fields where response.headers[name] == nil {
      response.headers[name] = value
    }
    return response
  }

  private static let fields: [(HTTPField.Name, String)] = [
    (.cacheControl, "no-store"),
    (.contentSecurityPolicy, contentSecurityPolicy),
    (.xContentTypeOptions, "nosniff"),
    // Not no-referrer, with which browsers send the origin null with the console's own forms.
    (.named("Referrer-Policy"), "same-origin"),
    (.named("X-Frame-Options"), "DENY"),
    (.named("Cross-Origin-Opener-Policy"), "same-origin"),
    (.named("Cross-Origin-Resource-Policy"), "same-origin"),
    (.named("Permissions-Policy"), "camera=(), geolocation=(), microphone=()"),
    (.named("X-Robots-Tag"), "noindex, nofollow"),
  ]
}

extension HTTPField.Name {
  /// Returns the field name for a constant text.
  static func named(_ text: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(text) else {
      preconditionFailure("\(text) is not the name of a field")
    }
    return name
  }
}
