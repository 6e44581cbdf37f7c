internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import MockupClient
internal import MockupPages

/// Turns the error of a request into a page with its status.
struct FailurePages: RouterMiddleware {
  typealias Context = ConsoleContext

  let logger: Logger

  func handle(
    _ request: Request, context: ConsoleContext,
    next: @concurrent (Request, ConsoleContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch {
      return response(to: failure(error, isWrite: ![.get, .head].contains(request.method)))
    }
  }

  private func failure(_ error: any Error, isWrite: Bool) -> Failure {
    switch error {
    case let failure as Failure: return failure
    case let error as RPCError: return Failure(error, isWrite: isWrite)
    case let error as HTTPError where error.status == .notFound: return .notFound
    case let error as HTTPError where error.status == .contentTooLarge: return .tooLarge
    case let error as HTTPError:
      return Failure(
        status: error.status, title: "Invalid request", message: error.status.reasonPhrase)
    default:
      logger.error("a request failed", metadata: ["error": "\(error)"])
      return Failure(
        status: .internalServerError, title: "The console has failed",
        message: "The log of mockup-console has the details.",
        advice: isWrite ? Failure.unknownOutcome : "")
    }
  }

  private func response(to failure: Failure) -> Response {
    let page = FailurePage(message: failure.message, advice: failure.advice)
    var response = Response.page(
      page.html(in: .page(failure.title)), status: failure.status)
    for field in failure.fields { response.headers[field.name] = field.value }
    return response
  }
}
