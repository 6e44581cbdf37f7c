internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOConcurrencyHelpers

/// Answers a request whose path is that of a page, but whose method the page does not have.
///
/// The router answers such a request as one for an unknown path.
final class PageMethods: RouterMiddleware {
  typealias Context = ConsoleContext

  fileprivate struct Page: Sendable {
    var segments: [Substring]
    var method: HTTPRequest.Method
  }

  private let pages = NIOLockedValueBox<[Page]>([])

  /// Sets the routes, once all are added.
  func learn(_ routes: [Router<ConsoleContext>.RouteDescription]) {
    let pages = routes.map {
      Page(segments: Self.segments(of: $0.path.description), method: $0.method)
    }
    self.pages.withLockedValue { $0 = pages }
  }

  func handle(
    _ request: Request, context: ConsoleContext,
    next: @concurrent (Request, ConsoleContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as HTTPError where error.status == .notFound {
      let methods = methods(of: request.uri.path)
      throw methods.isEmpty ? Failure.notFound : .methodNotAllowed(methods)
    }
  }

  /// Returns the methods of a path, in alphabetical order; empty if there is no such page.
  private func methods(of path: String) -> [String] {
    let segments = Self.segments(of: path)
    let methods = pages.withLockedValue { $0.filter { $0.fits(segments) } }.map(\.method.rawValue)
    return Set(methods.contains("GET") ? methods + ["HEAD"] : methods).sorted()
  }

  private static func segments(of path: String) -> [Substring] { path.split(separator: "/") }
}

extension PageMethods.Page {
  fileprivate func fits(_ path: [Substring]) -> Bool {
    path.count == segments.count
      && zip(segments, path).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
  }
}
