internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

extension CreditError: StatusConvertible {
  func status(_ context: ServerContext) -> RPCError {
    switch self {
    case .unknownUser(let id):
      RPCError(code: .notFound, message: "there is no user \(id.wireText)")
    case .unknownMockup(let id):
      RPCError(code: .notFound, message: "the user has no mockup \(id.wireText)")
    case .unknownReservation(let id):
      RPCError(code: .notFound, message: "the user has no reservation \(id.wireText)")
    case .unknownEntry(let id):
      RPCError(code: .notFound, message: "the user's ledger has no entry \(id.wireText)")
    case .unknownGroup(let id):
      RPCError(code: .notFound, message: "the user has no reservation of group \(id.wireText)")
    case .conflict(let field):
      .exists(field.name, "the id was already used with different \(field.name)")
    case .notOpen(let reservation):
      RPCError(
        code: .failedPrecondition,
        message: "reservation \(reservation.id.wireText) is "
          + reservation.state.rawValue.uppercased())
    case .exceedsHeld(let reservation):
      RPCError(
        code: .failedPrecondition,
        message: "reservation \(reservation.id.wireText) has only \(reservation.left) credits left")
    case .exceedsMaximum(let reservation):
      RPCError(
        code: .failedPrecondition,
        message: "the commits of a reservation cannot exceed \(Int32.max) credits, and "
          + "\(reservation.committed) are already committed")
    case .insufficient(let usage):
      RPCError(
        code: .failedPrecondition,
        message: "the commit exceeds the held credits, and only \(usage.available) credits are "
          + "available")
    case .notACharge(let id):
      RPCError(
        code: .failedPrecondition,
        message: "ledger entry \(id.wireText) is a refund, which cannot be refunded")
    case .exceedsCharge(let id):
      RPCError(
        code: .failedPrecondition,
        message: "ledger entry \(id.wireText) has fewer credits left to refund")
    case .batchFailed:
      RPCError(code: .aborted, message: "another item of the batch failed; nothing was written")
    case .database(let error):
      error.status(context)
    }
  }
}

extension CreditError.Conflict {
  /// The name of the field in the `.proto` file.
  fileprivate var name: String {
    switch self {
    case .timeToLive: "time_to_live_seconds"
    case .credits, .operation, .mockupID, .groupID, .mode, .final, .allowOverrun, .entryID: rawValue
    }
  }
}
