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

  /// The failure of a request with a method that its page does not have.
  static func methodNotAllowed(_ methods: [String]) -> Failure {
    Failure(
      status: .methodNotAllowed, title: "Invalid request",
      message: "This page has only the methods \(methods.joined(separator: ", ")).",
      fields: [.allow: methods.joined(separator: ", ")])
  }

  static let tooLarge = Failure(
    status: .contentTooLarge, title: "Invalid request", message: "The form is too large.")

  /// Creates the failure of a call to mockupd.
  ///
  /// - Parameter isWrite: True if the request was sent to change something. After many errors, the
  ///   outcome is unknown then.
  init(_ error: RPCError, isWrite: Bool) {
    let message = "mockupd says: \(error.message)."
    let retryAdvice =
      switch (isWrite, error.mayHaveEffect) {
      case (true, true): Self.unknownOutcome
      case (true, false): "Nothing was changed. Reload the page to try again."
      case (false, _): "Reload the page to try again."
      }
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
        advice: retryAdvice,
        fields: [.retryAfter: "5"])
    case .deadlineExceeded, .cancelled:
      self.init(
        status: .gatewayTimeout, title: "mockupd has not answered in time", message: message,
        advice: retryAdvice)
    case .permissionDenied, .unauthenticated:
      self.init(
        status: .badGateway, title: "mockupd refuses the console", message: message,
        advice: "The user that runs mockup-console needs the role admin in mockupd\u{2019}s policy."
      )
    case .ok, .unknown, .unimplemented, .internalError, .dataLoss:
      self.init(
        status: .badGateway, title: "mockupd has failed", message: message,
        advice: (isWrite && error.mayHaveEffect ? Self.unknownOutcome + " " : "")
          + "The log of mockupd has the details.")
    }
  }

  /// The advice after a call to resolve a reservation that may have succeeded.
  static let unknownOutcome =
    "The outcome is unknown: an attempt of the call may have resolved the reservation. The page "
    + "Stuck lists the reservation if it is not resolved; reload it to see."

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
