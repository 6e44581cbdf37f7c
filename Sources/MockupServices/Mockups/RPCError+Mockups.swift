internal import FoundationEssentials
internal import Logging
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

extension RPCError {
  /// Converts an error of the mockup store to the error that the caller gets.
  init(_ error: MockupError, logger: Logger) {
    switch error {
    case .unknownUser(let id):
      self.init(code: .notFound, message: "there is no user \(id.wireText)")
    case .unknownMockup(let id):
      self.init(code: .notFound, message: "the user has no mockup \(id.wireText)")
    case .unknownQuote(let id):
      self.init(code: .notFound, message: "the user has no quote \(id.wireText)")
    case .conflict(let field):
      self.init(
        code: .alreadyExists, message: "the request id was already used with different \(field)",
        details: [
          .badRequest([
            FieldViolation(field: field, description: "differs from the first request")
          ])
        ])
    case .wrongStatus(let status, let wanted):
      self.init(
        code: .failedPrecondition,
        message:
          "the mockup is \(status.protocolName) and cannot become \(wanted.protocolName)")
    case .lostLease(let attempt):
      self.init(
        code: .failedPrecondition,
        message: "the lease is lost: the mockup's current attempt is \(attempt)")
    case .invalidMetadata:
      self = .invalid("dm_metadata_json", "is not a JSON object that can be stored")
    case .reservationNotOpen(let state):
      self.init(
        code: .failedPrecondition,
        message: "the mockup's reservation is \(state.uppercased())")
    case .exceedsHeld:
      self.init(
        code: .failedPrecondition,
        message: "the credits exceed those that the mockup's reservation holds")
    case .exceedsMaximum:
      self.init(
        code: .failedPrecondition,
        message: "the commits of a reservation cannot exceed \(Int32.max) credits")
    case .insufficient(let usage):
      self.init(
        code: .failedPrecondition,
        message: "the credits exceed the held ones, and only \(usage.available) are available")
    case .database(let error):
      self.init(error, logger: logger)
    }
  }
}

extension MockupCore.MockupStatus {
  /// The status's name in the protocol, without its prefix.
  fileprivate var protocolName: String { rawValue.uppercased() }
}
