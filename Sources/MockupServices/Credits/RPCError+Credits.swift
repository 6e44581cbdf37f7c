internal import FoundationEssentials
internal import Logging
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import Postgres
internal import TTRPC

extension RPCError {
  /// The time after which a client may retry a call that failed because the server was overloaded
  /// or the database was unavailable.
  private static let retryDelay: Duration = .milliseconds(200)

  /// The error of calls that are refused because a queue is full.
  ///
  /// It is made once, because refusing calls must be cheap when the server is overloaded.
  static let overloaded = RPCError(
    code: .resourceExhausted, message: "the server is overloaded; retry later",
    details: [.retryInfo(after: retryDelay)]
  ).prepared()

  /// Converts an error of the credit store to the error that the caller gets.
  init(_ error: CreditError, logger: @autoclosure () -> Logger) {
    switch error {
    case .unknownUser(let id):
      self.init(code: .notFound, message: "there is no user \(id.wireText)")
    case .unknownMockup(let id):
      self.init(code: .notFound, message: "the user has no mockup \(id.wireText)")
    case .unknownReservation(let id):
      self.init(code: .notFound, message: "the user has no reservation \(id.wireText)")
    case .unknownEntry(let id):
      self.init(code: .notFound, message: "the user's ledger has no entry \(id.wireText)")
    case .unknownGroup(let id):
      self.init(code: .notFound, message: "the user has no reservation of group \(id.wireText)")
    case .conflict(let field):
      self.init(
        code: .alreadyExists, message: "the id was already used with different \(field.name)",
        details: [
          .badRequest([
            FieldViolation(field: field.name, description: "differs from the first request")
          ])
        ])
    case .notOpen(let reservation):
      let state = reservation.state.rawValue.uppercased()
      self.init(
        code: .failedPrecondition, message: "reservation \(reservation.id.wireText) is \(state)")
    case .exceedsHeld(let reservation):
      self.init(
        code: .failedPrecondition,
        message: "reservation \(reservation.id.wireText) has only \(reservation.left) credits left")
    case .exceedsMaximum(let reservation):
      self.init(
        code: .failedPrecondition,
        message: "the commits of a reservation cannot exceed \(Int32.max) credits, and "
          + "\(reservation.committed) are already committed")
    case .insufficient(let usage):
      self.init(
        code: .failedPrecondition,
        message: "the commit exceeds the held credits, and only \(usage.available) credits are "
          + "available")
    case .notACharge(let id):
      self.init(
        code: .failedPrecondition,
        message: "ledger entry \(id.wireText) is a refund, which cannot be refunded")
    case .exceedsCharge(let id):
      self.init(
        code: .failedPrecondition,
        message: "ledger entry \(id.wireText) has fewer credits left to refund")
    case .batchFailed:
      self.init(code: .aborted, message: "another item of the batch failed; nothing was written")
    case .database(let error):
      self.init(error, logger: logger())
    }
  }

  /// Converts an error of the database to the error that the caller gets.
  init(_ error: PostgresError, logger: @autoclosure () -> Logger) {
    switch error.code {
    case .queueFull:
      self = .overloaded
    case .cancelled:
      self.init(code: .cancelled, message: "the call was cancelled", cause: error)
    case .connectionUnavailable:
      // The reason has been logged already. A line for each call would only bury it.
      logger().debug("the database is unavailable", metadata: ["error": "\(error)"])
      // Messages of PostgreSQL itself may contain details that are not meant for clients.
      let reason =
        switch error.sqlState {
        case nil: error.message
        case .readOnlyTransaction: "the database is read-only"
        default: "the database is not reachable"
        }
      self.init(
        code: .unavailable, message: "\(reason); the call had no effect",
        details: [.retryInfo(after: Self.retryDelay)], cause: error)
    case .server(.readOnlyTransaction):
      logger().debug("the database is read-only", metadata: ["error": "\(error)"])
      self.init(
        code: .unavailable, message: "the database is read-only; the call had no effect",
        details: [.retryInfo(after: Self.retryDelay)], cause: error)
    case .connectionLost:
      logger().warning("the database did not answer", metadata: ["error": "\(error)"])
      self.init(
        code: .unavailable,
        message: "the database did not answer and the outcome is unknown; retry with the same ids",
        details: [.retryInfo(after: Self.retryDelay)], cause: error)
    case .replicationUncertain:
      logger().warning("a commit may not have been replicated", metadata: ["error": "\(error)"])
      self.init(
        code: .unavailable,
        message: "the database committed the call, but its replication is uncertain and the "
          + "outcome is unknown; retry with the same ids",
        details: [.retryInfo(after: Self.retryDelay)], cause: error)
    case _ where error.spansPartitions:
      self.init(
        code: .invalidArgument,
        message: "the users of an all-or-nothing batch belong to several partitions", cause: error)
    case _ where error.isTransient:
      logger().warning("the database failed temporarily", metadata: ["error": "\(error)"])
      self.init(
        code: .unavailable,
        message: "the database cannot run the call now; the call had no effect",
        details: [.retryInfo(after: Self.retryDelay)], cause: error)
    default:
      let incident = UUID()
      logger().error(
        "unexpected database error",
        metadata: ["incident": "\(incident.wireText)", "error": "\(String(reflecting: error))"])
      self.init(
        code: .internalError, message: "internal error, incident \(incident.wireText)", cause: error
      )
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
