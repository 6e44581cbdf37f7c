internal import HTTPTypes
internal import MockupClient

// TTRPC, which MockupClient exports, has a type of this name too.
typealias HTTPStatus = HTTPTypes.HTTPResponse.Status

/// The reason why a request fails, with the status and the page that say so.
struct Failure: Error {
  var status: HTTPStatus
  /// The title of the page.
  var title: String
  /// The message: what happened, to what.
  var message: String
  /// The advice on what to do; empty if there is none.
  var advice = ""
  /// Fields of the response's head.
  var fields: HTTPFields = [:]

  static func badRequest(_ message: String) -> Failure {
    Failure(status: .badRequest, title: "Invalid request", message: "\(message).")
  }

  static func forbidden(_ message: String, advice: String = "") -> Failure {
    Failure(status: .forbidden, title: "Not allowed", message: message, advice: advice)
  }

  static let notFound = Failure(
    status: .notFound, title: "Not found", message: "The console has no such page.")

  static let tooLarge = Failure(
    status: .contentTooLarge, title: "Invalid request", message: "The form is too large.")

  /// Creates the failure of a call to mockupd.
  init(_ error: RPCError) {
    let message = "mockupd says: \(error.message)."
    switch error.code {
    case .notFound:
      self.init(status: .notFound, title: "Not found", message: message)
    case .invalidArgument, .outOfRange:
      self.init(status: .badRequest, title: "Invalid request", message: message)
    case .failedPrecondition, .alreadyExists, .aborted:
      self.init(
        status: .conflict, title: "Not possible", message: message,
        advice: "The reservation may have been settled in the meantime.")
    case .unavailable, .resourceExhausted:
      self.init(
        status: .serviceUnavailable, title: "mockupd is unavailable", message: message,
        advice: "Nothing was changed. Reload the page to try again.",
        fields: [.retryAfter: "5"])
    case .deadlineExceeded, .cancelled:
      self.init(
        status: .gatewayTimeout, title: "mockupd has not answered in time", message: message,
        advice: "Reload the page to try again.")
    case .permissionDenied, .unauthenticated:
      self.init(
        status: .badGateway, title: "mockupd refuses the console", message: message,
        advice: "The user that runs mockup-console needs the role admin in mockupd\u{2019}s policy."
      )
    case .ok, .unknown, .unimplemented, .internalError, .dataLoss:
      self.init(
        status: .badGateway, title: "mockupd has failed", message: message,
        advice: "The log of mockupd has the details.")
    }
  }

  init(
    status: HTTPStatus, title: String, message: String, advice: String = "",
    fields: HTTPFields = [:]
  ) {
    self.status = status
    self.title = title
    self.message = message
    self.advice = advice
    self.fields = fields
  }
}
