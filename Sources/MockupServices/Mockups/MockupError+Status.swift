internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

extension MockupError: StatusConvertible {
  func status(_ context: ServerContext) -> RPCError {
    switch self {
    case .unknownUser(let id):
      RPCError(code: .notFound, message: "there is no user \(id.wireText)")
    case .unknownMockup(let id):
      RPCError(code: .notFound, message: "the user has no mockup \(id.wireText)")
    case .unknownQuote(let id):
      RPCError(code: .notFound, message: "the user has no quote \(id.wireText)")
    case .conflict(let field):
      .exists(field, "the same id or attempt was already used with different \(field)")
    case .wrongStatus(let status, let wanted):
      RPCError(
        code: .failedPrecondition,
        message: status == wanted
          ? "the mockup is already \(status.protocolName)"
          : "the mockup is \(status.protocolName) and cannot become \(wanted.protocolName)")
    case .lostLease(let attempt):
      RPCError(
        code: .failedPrecondition,
        message: attempt == 0
          ? "no worker has claimed the mockup"
          : "the lease is lost: the mockup's current attempt is \(attempt)")
    case .invalidMetadata:
      .invalid("dm_metadata_json", "is not a JSON object that can be stored")
    case .reservationNotOpen(let state):
      RPCError(
        code: .failedPrecondition,
        message: "the mockup's reservation is \(state.uppercased())")
    case .exceedsHeld:
      RPCError(
        code: .failedPrecondition,
        message: "the credits exceed those that the mockup's reservation holds")
    case .exceedsMaximum:
      RPCError(
        code: .failedPrecondition,
        message: "the commits of a reservation cannot exceed \(Int32.max) credits")
    case .insufficient(let usage):
      RPCError(
        code: .failedPrecondition,
        message: "the credits exceed the held ones, and only \(usage.available) are available")
    case .database(let error):
      error.status(context)
    }
  }
}

extension MockupCore.MockupStatus {
  /// The status's name in the protocol, without its prefix.
  fileprivate var protocolName: String { rawValue.uppercased() }
}
