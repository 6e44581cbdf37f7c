internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore

/// Refuses requests for other hosts than the console's own.
///
/// Otherwise a page of any site could reach the console through a name of its own that resolves to
/// a loopback address (DNS rebinding).
struct HostCheck: RouterMiddleware {
  typealias Context = ConsoleContext

  let authorities: Authorities

  func handle(
    _ request: Request, context: ConsoleContext,
    next: @concurrent (Request, ConsoleContext) async throws -> Response
  ) async throws -> Response {
    guard let authority = request.head.authority?.lowercased(), authorities.contains(authority)
    else {
      throw Failure(
        status: .misdirectedRequest, title: "Wrong address",
        message: "The console does not answer under this host name.",
        advice: "Open the link that mockup-console printed, or the address of its proxy.")
    }
    return try await next(request, context)
  }
}
