internal import FoundationEssentials
internal import Logging
internal import MockupAPI
internal import MockupDatabase
internal import Postgres
internal import TTRPC

/// An error of a store, which the caller gets as the status of its call.
protocol StatusConvertible: Error {
  /// Returns the status of a call that failed with the error, and logs failures of the database.
  func status(_ context: ServerContext) -> RPCError
}

/// Calls a store for the answer to a call, and converts its error to the call's status.
func answer<Value, Failure: StatusConvertible>(
  _ context: ServerContext, _ work: () async throws(Failure) -> Value
) async throws(RPCError) -> Value {
  do {
    return try await work()
  } catch {
    throw error.status(context)
  }
}

extension PostgresError: StatusConvertible {
  func status(_ context: ServerContext) -> RPCError {
    switch code {
    case .queueFull:
      return .overloaded
    case .cancelled:
      return RPCError(code: .cancelled, message: "the call was cancelled", cause: self)
    case .connectionUnavailable:
      // The reason has been logged already. A line for each call would only bury it.
      context.logger.debug("the database is unavailable", metadata: ["error": "\(self)"])
      // Messages of PostgreSQL itself may contain details that are not meant for clients.
      let reason =
        switch sqlState {
        case nil: message
        case .readOnlyTransaction: "the database is read-only"
        default: "the database is not reachable"
        }
      return unavailable("\(reason); the call had no effect", .noEffect)
    case .server(.readOnlyTransaction):
      context.logger.debug("the database is read-only", metadata: ["error": "\(self)"])
      return unavailable("the database is read-only; the call had no effect", .noEffect)
    case .connectionLost:
      context.logger.warning("the database did not answer", metadata: ["error": "\(self)"])
      return unavailable(
        "the database did not answer and the outcome is unknown; retry with the same ids")
    case .replicationUncertain:
      context.logger.warning(
        "a commit may not have been replicated", metadata: ["error": "\(self)"])
      return unavailable(
        "the database committed the call, but its replication is uncertain and the "
          + "outcome is unknown; retry with the same ids")
    case _ where spansPartitions:
      return RPCError(
        code: .invalidArgument,
        message: "the users of an all-or-nothing batch belong to several partitions", cause: self)
    case _ where isTransient:
      context.logger.warning("the database failed temporarily", metadata: ["error": "\(self)"])
      return unavailable("the database cannot run the call now; the call had no effect", .noEffect)
    default:
      let incident = UUID()
      context.logger.error(
        "unexpected database error",
        metadata: ["incident": "\(incident.wireText)", "error": "\(String(reflecting: self))"])
      return RPCError(
        code: .internalError, message: "internal error, incident \(incident.wireText)", cause: self
      )
    }
  }

  private func unavailable(_ message: String, _ details: ErrorDetail...) -> RPCError {
    RPCError(
      code: .unavailable, message: message,
      details: details + [.retryInfo(after: RPCError.retryDelay)], cause: self)
  }
}

extension RPCError {
  /// The time after which a client may retry a call that failed because the server was overloaded
  /// or the database was unavailable.
  fileprivate static let retryDelay: Duration = .milliseconds(200)

  /// The error of calls that are refused because a queue is full.
  ///
  /// It is made once, because refusing calls must be cheap when the server is overloaded.
  static let overloaded = RPCError(
    code: .resourceExhausted, message: "the server is overloaded; retry later",
    details: [.noEffect, .retryInfo(after: retryDelay)]
  ).prepared()

  /// Returns the error of a call whose idempotency key or other unique value was already used.
  static func exists(
    _ field: String, _ message: String,
    _ description: String = "differs from the first request"
  ) -> RPCError {
    RPCError(
      code: .alreadyExists, message: message,
      details: [.badRequest([FieldViolation(field: field, description: description)])])
  }
}
