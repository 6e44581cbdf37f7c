internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOConcurrencyHelpers

/// Takes the name of the signed-in person from a header of the proxy.
///
/// Only the proxy can connect to the console's Unix socket, by the socket's permissions.
final class ProxySignIn: RouterMiddleware {
  typealias Context = ConsoleContext

  /// The maximum length of a name, in bytes.
  private static let maximumNameLength = 256
  /// The maximum number of names with form tokens; beyond it, the tokens are made anew.
  private static let maximumCount = 10_000

  private let header: HTTPField.Name
  private let formTokens = NIOLockedValueBox<[String: String]>([:])

  init(header: HTTPField.Name) {
    self.header = header
  }

  func handle(
    _ request: Request, context: ConsoleContext,
    next: @concurrent (Request, ConsoleContext) async throws -> Response
  ) async throws -> Response {
    let values = request.headers[values: header]
    guard values.count == 1, let name = values.first, Self.isValid(name) else {
      throw Failure(
        status: .unauthorized, title: "Not signed in",
        message: "The proxy has not passed the name of a signed-in person.",
        advice: "The proxy must set the header \(header.rawName) once in each request.")
    }
    var context = context
    context.visitor = Visitor(name: name, formToken: formToken(of: name))
    return try await next(request, context)
  }

  private static func isValid(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= maximumNameLength
      && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }

  private func formToken(of name: String) -> String {
    formTokens.withLockedValue { tokens in
      if let token = tokens[name] { return token }
      if tokens.count >= Self.maximumCount { tokens = [:] }
      let token = Secret.make()
      tokens[name] = token
      return token
    }
  }
}
