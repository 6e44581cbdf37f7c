internal import FoundationEssentials
internal import Logging
internal import MockupAPI
internal import MockupStore
internal import Mockups
internal import TTRPC

extension RPCError {
  /// What a caller is told of an error about mockups.
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
        code: .alreadyExists, message: "the request was sent before with another \(field)",
        details: [
          .badRequest([
            FieldViolation(field: field, description: "differs from the first request")
          ])
        ])
    case .wrongStatus(let status, let wanted):
      self.init(
        code: .failedPrecondition,
        message:
          "the mockup is \(status.word), and \(status.word) does not become \(wanted.word)")
    case .lostLease(let attempt):
      self.init(
        code: .failedPrecondition,
        message: "the attempt is no longer the caller's: the mockup's last is \(attempt)")
    case .invalidMetadata:
      self = .invalid("dm_metadata_json", "is no JSON object that can be stored")
    case .reservationNotOpen(let state):
      self.init(
        code: .failedPrecondition,
        message: "the mockup's reservation is \(state.uppercased())")
    case .exceedsHeld:
      self.init(
        code: .failedPrecondition,
        message: "the mockup's reservation holds fewer credits than that")
    case .exceedsMaximum:
      self.init(
        code: .failedPrecondition,
        message: "the commits of a reservation cannot exceed \(Int32.max) credits")
    case .insufficient(let usage):
      self.init(
        code: .failedPrecondition,
        message: "that is more than is set aside, and only \(usage.available) are available")
    case .database(let error):
      self.init(error, logger: logger)
    }
  }
}

extension Mockups.MockupStatus {
  /// As the wire names it.
  fileprivate var word: String { rawValue.uppercased() }
}
