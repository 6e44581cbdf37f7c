internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import MockupPages

/// Signs a browser in with a token that works once, and checks its session's cookie afterwards.
struct SessionSignIn: RouterMiddleware {
  typealias Context = ConsoleContext

  static let path = "/sign-in"

  let sessions: Sessions
  /// A Boolean value that indicates whether browsers use TLS.
  let isSecure: Bool

  /// The name of the cookie.
  ///
  /// With the prefix `__Host-`, browsers accept the cookie from this host only, and with TLS only.
  private var cookieName: String { isSecure ? "__Host-mockup-console" : "mockup-console" }

  func handle(
    _ request: Request, context: ConsoleContext,
    next: @concurrent (Request, ConsoleContext) async throws -> Response
  ) async throws -> Response {
    if request.uri.path == Self.path {
      // Not HEAD, with which a program that previews links would use up the token.
      guard request.method == .get else { throw Failure.methodNotAllowed(["GET"]) }
      return try signIn(request)
    }
    guard let id = request.cookies[cookieName]?.value, let session = sessions.session(id) else {
      throw Self.notSignedIn
    }
    var context = context
    context.visitor = Visitor(name: nil, formToken: session.formToken)
    return try await next(request, context)
  }

  private func signIn(_ request: Request) throws -> Response {
    let token = try FormFields(request.uri.query ?? "")["token"] ?? ""
    guard let id = sessions.start(with: token) else {
      throw Failure.forbidden(
        "This link is not valid: it works once, and only the newest one works.",
        advice: "Send SIGHUP to mockup-console to print a new link.")
    }
    var response = Response.seeOther("/")
    response.setCookie(
      Cookie(
        name: cookieName, value: id, maxAge: Int(Sessions.lifetime.components.seconds), path: "/",
        secure: isSecure, httpOnly: true, sameSite: .strict))
    return response
  }

  private static let notSignedIn = Failure(
    status: .unauthorized, title: "Not signed in",
    message: "This browser is not signed in, or its session has ended.",
    advice: "Open the link that mockup-console printed, or send it SIGHUP to print a new one.")
}
