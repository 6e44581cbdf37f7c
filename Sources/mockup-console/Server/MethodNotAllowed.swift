internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOConcurrencyHelpers

/// A middleware that answers 405 if the path of a request exists, but not with its method.
///
/// The router answers such a request with 404. Handlers do not throw `HTTPError`.
final class MethodNotAllowed: RouterMiddleware {
  typealias Context = ConsoleContext

  fileprivate struct Page: Sendable {
    var segments: [Substring]
    var method: HTTPRequest.Method
  }

  private let pages = NIOLockedValueBox<[Page]>([])

  /// Sets the routes, once all are added.
  func setRoutes(_ routes: [Router<ConsoleContext>.RouteDescription]) {
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
    let methods = pages.withLockedValue { $0.filter { $0.matches(segments) } }.map(
      \.method.rawValue)
    return Set(methods.contains("GET") ? methods + ["HEAD"] : methods).sorted()
  }

  private static func segments(of path: String) -> [Substring] { path.split(separator: "/") }
}

extension MethodNotAllowed.Page {
  fileprivate func matches(_ path: [Substring]) -> Bool {
    path.count == segments.count
      && zip(segments, path).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
  }
}
