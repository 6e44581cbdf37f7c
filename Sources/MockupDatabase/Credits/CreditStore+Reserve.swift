internal import FoundationEssentials
public import MockupCore
public import Postgres

/// The result of a request for a reservation.
public struct ReservationOutcome: Sendable, Hashable {
  /// The decision, with the user's credits after it.
  public var admission: Admission
  /// The reservation in its initial state.
  ///
  /// For its current state use ``CreditStore/reservation(_:of:)``.
  public var reservation: Reservation
  /// True if this is the result of an earlier call, which made the reservation or was refused.
  public var isReplayed: Bool
}

extension CreditStore {
  /// Reserves credits for several requests in one transaction.
  ///
  /// The reservations are durable when the call returns.
  ///
  /// - Parameters:
  ///   - requests: The requests, which are decided in order.
  ///   - allOrNothing: If true, nothing is written unless every request is admitted. If one is not,
  ///     the admitted requests get ``CreditError/batchFailed``, and the others their own outcomes.
  /// - Returns: The result of each request, in order.
  public func reserve(
    _ requests: [ReservationRequest], allOrNothing: Bool = false
  ) async throws(PostgresError) -> [Result<ReservationOutcome, CreditError>] {
    try await write(requests, allOrNothing: allOrNothing)
  }

  /// Returns the decision that a reservation of all credits or none would get now, without writing
  /// anything.
  public func check(_ request: ReservationRequest) async throws(CreditError) -> Admission {
    let usage = try await usage(of: request.userID)
    if let mockupID = request.mockupID {
      let found = try await read(
        Queries.getMockup, of: request.userID, Parameters(request.userID, mockupID)
      ) { _ in true }
      guard !found.isEmpty else { throw .unknownMockup(mockupID) }
    }
    return Admission(of: request.credits, in: usage)
  }
}

extension ReservationRequest: CreditChange {
  typealias Outcome = ReservationOutcome
  typealias Answer = ReserveRow

  static var statement: Statement { Queries.reserveCredits }
  static var allOrNothingStatement: Statement? { Queries.reserveAllCredits }

  var kind: ChangeKind { .reserve }

  static func pendingChange(_ pending: Pending<Self>) -> PendingChange { .reservation(pending) }

  static func parameters(
    _ requests: [ReservationRequest], now: Date?, makeID: () -> UUID
  ) -> Parameters {
    Parameters(
      now,
      requests.map(\.userID),
      requests.map(\.id),
      requests.map(\.credits),
      requests.map(\.operation.rawValue),
      requests.map { Int32($0.timeToLive.components.seconds) },
      requests.map(\.mockupID),
      requests.map(\.groupID),
      requests.map(\.mode.rawValue))
  }
}

/// A row of `reserve_credits.sql`.
struct ReserveRow: CreditAnswer {
  var outcome: String
  var isReplayed: Bool
  var decision: (granted: Int32, at: Date, usage: Usage)?

  init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    _ = try columns.read(Int64.self)
    outcome = try columns.read()
    isReplayed = try columns.read()
    let granted = try columns.read(Int32?.self)
    guard let granted, let reservedAt = try columns.read(Date?.self) else { return }
    let period = Period(year: try columns.read(), month: try columns.read())
    decision = (granted, reservedAt, try Usage(&columns, period: period))
  }

  var isSuccess: Bool { outcome == "admitted" }

  var result: ChangeResult { ChangeResult(outcome: outcome, isReplayed: isReplayed) }

  func outcome(of request: ReservationRequest) -> Result<ReservationOutcome, CreditError> {
    switch (outcome, decision) {
    case ("admitted", let decision?), ("refused", let decision?):
      let isAdmitted = outcome == "admitted"
      return .success(
        ReservationOutcome(
          admission: Admission(isAdmitted: isAdmitted, usage: decision.usage),
          reservation: Reservation(
            userID: request.userID,
            id: request.id,
            state: isAdmitted ? .held : .refused,
            credits: request.credits,
            granted: decision.granted,
            held: decision.granted,
            operation: request.operation,
            period: decision.usage.period,
            createdAt: decision.at,
            expiresAt: decision.at.addingTimeInterval(
              Double(request.timeToLive.components.seconds)),
            settledAt: isAdmitted ? nil : decision.at,
            mockupID: request.mockupID,
            groupID: request.groupID),
          isReplayed: isReplayed))
    case ("unknown_user", _):
      return .failure(.unknownUser(request.userID))
    case ("unknown_mockup", _):
      return .failure(.unknownMockup(request.mockupID ?? request.id))
    default:
      return .failure(.conflicting(outcome))
    }
  }
}
