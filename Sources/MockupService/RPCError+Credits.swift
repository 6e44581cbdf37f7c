internal import FoundationEssentials
internal import Logging
internal import MockupAPI
internal import MockupStore
internal import Mockups
internal import Postgres
internal import TTRPC

extension RPCError {
  /// How long to wait before a database that is away is worth another try.
  private static let retryDelay: Duration = .milliseconds(200)

  /// Made once: whoever has more to do than it takes on has the least time for what it refuses.
  static let tooMuchToDo = RPCError(
    code: .resourceExhausted, message: "the server has more to do than it takes on",
    details: [.retryInfo(after: retryDelay)]
  ).prepared()

  /// What a caller is told of an error of the books.
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
        code: .alreadyExists, message: "the id was used before with another \(field.rawValue)",
        details: [
          .badRequest([
            FieldViolation(field: field.rawValue, description: "differs from the first request")
          ])
        ])
    case .notOpen(let reservation):
      let state = reservation.state.rawValue.uppercased()
      self.init(code: .failedPrecondition, message: "the reservation is \(state)")
    case .exceedsHeld(let reservation):
      self.init(
        code: .failedPrecondition,
        message: "the reservation has \(reservation.left) credits left, fewer than that")
    case .exceedsMaximum(let reservation):
      self.init(
        code: .failedPrecondition,
        message: "the commits of a reservation cannot exceed \(Int32.max) credits, and "
          + "\(reservation.committed) are committed")
    case .insufficient(let usage):
      self.init(
        code: .failedPrecondition,
        message: "the reservation does not hold that much, and only \(usage.available) credits are "
          + "available")
    case .notACharge(let id):
      self.init(
        code: .failedPrecondition, message: "the entry \(id.wireText) is a refund, and no charge")
    case .exceedsCharge(let id):
      self.init(
        code: .failedPrecondition,
        message: "less than that is left to refund of the entry \(id.wireText)")
    case .batchFailed:
      self.init(code: .aborted, message: "another item of the batch failed; nothing was written")
    case .database(let error):
      self.init(error, logger: logger())
    }
  }

  /// What a caller is told of an error of the database.
  init(_ error: PostgresError, logger: @autoclosure () -> Logger) {
    switch error.code {
    case .queueFull:
      self = .tooMuchToDo
    case .cancelled:
      self.init(code: .cancelled, message: "the call was cancelled", cause: error)
    case .connectionUnavailable:
      // The server's log has the reason already; a line for each call would only hide it.
      logger().debug("the database is unavailable", metadata: ["error": "\(error)"])
      // The server's own words are not for strangers.
      let reason = error.sqlState == nil ? error.message : "the database is not reachable"
      self.init(
        code: .unavailable, message: "\(reason); the call had no effect",
        details: [.retryInfo(after: Self.retryDelay)], cause: error)
    case .server(.readOnlyTransaction):
      logger().debug("the database is read-only", metadata: ["error": "\(error)"])
      self.init(
        code: .unavailable, message: "the database is read-only; the call had no effect",
        details: [.retryInfo(after: Self.retryDelay)], cause: error)
    case _ where error.isTransient:
      logger().warning("the database did not answer", metadata: ["error": "\(error)"])
      self.init(
        code: .unavailable,
        message: "the database did not answer; sent again, the call has one effect at most",
        details: [.retryInfo(after: Self.retryDelay)], cause: error)
    default:
      let incident = UUID()
      logger().error(
        "the database failed",
        metadata: ["incident": "\(incident.wireText)", "error": "\(String(reflecting: error))"])
      self.init(
        code: .internalError, message: "internal error, incident \(incident.wireText)", cause: error
      )
    }
  }
}
