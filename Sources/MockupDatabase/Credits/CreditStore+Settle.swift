public import FoundationEssentials
public import MockupCore
public import Postgres

/// A request to dispatch, extend, commit or release a reservation.
public struct Settlement: Sendable, Hashable {
  /// The user who has the reservation.
  public var userID: UUID
  /// The id of the reservation, which the client made.
  public var reservationID: UUID
  /// The change to make.
  public var action: Action

  /// A change of a reservation.
  public enum Action: Sendable, Hashable {
    /// Records that the vendor is about to be called, and extends the reservation if a time is
    /// given.
    ///
    /// From then on the credits stay held after the expiry, since the vendor may have charged.
    case dispatch(timeToLive: Duration? = nil)
    /// Moves the expiry to the given time from now, unless the reservation expires later already.
    case extend(timeToLive: Duration)
    /// Spends credits.
    case commit(Commit)
    /// Gives back the credits that the reservation holds.
    case release

    /// Creates an action that commits credits; for the parameters see ``Commit``.
    public static func commit(
      id: UUID, credits: Int32?, isFinal: Bool = true, allowsOverrun: Bool = false
    ) -> Action {
      .commit(Commit(id: id, credits: credits, isFinal: isFinal, allowsOverrun: allowsOverrun))
    }
  }

  /// A commit of credits.
  public struct Commit: Sendable, Hashable {
    /// The idempotency key, unique for the reservation.
    public var id: UUID
    /// The number of credits to spend; nil means all that are left.
    ///
    /// A reservation is released if its commits spend 0 credits in total.
    public var credits: Int32?
    /// A Boolean value that indicates whether the commit settles the reservation.
    ///
    /// If true, the credits that are left become available. If false, the reservation stays open.
    public var isFinal: Bool
    /// A Boolean value that indicates whether the commit may exceed the credits that are left.
    ///
    /// The excess must be available.
    public var allowsOverrun: Bool
  }

  /// Creates a request.
  public init(userID: UUID, reservationID: UUID, action: Action) {
    self.userID = userID
    self.reservationID = reservationID
    self.action = action
  }
}

/// The result of a settlement.
public struct SettlementOutcome: Sendable, Hashable {
  /// The reservation after the change.
  public var reservation: Reservation
  /// The user's credits after the change, in the period of the reservation.
  public var usage: Usage
  /// True if this is the result of an earlier call, which made the same change.
  public var isReplayed: Bool
  /// The number of credits that the change spent.
  public var charged: Int32
  /// The part of ``charged`` that exceeds the credits that were left in the reservation.
  public var overrun: Int32
  /// The number of credits that the change gave back.
  public var released: Int32
  /// A Boolean value that indicates whether credits were committed after the reservation had
  /// expired.
  public var isLate: Bool
}

extension CreditStore {
  /// Dispatches, extends, commits and releases reservations in one transaction.
  ///
  /// The changes are durable when the call returns.
  ///
  /// - Parameters:
  ///   - settlements: The requests, which are processed in order.
  ///   - allOrNothing: If true, nothing is written unless every request succeeds. If one fails, the
  ///     successful requests get ``CreditError/batchFailed``, and the others their own errors.
  /// - Returns: The result of each request, in order.
  public func settle(
    _ settlements: [Settlement], allOrNothing: Bool = false
  ) async throws(PostgresError) -> [Result<SettlementOutcome, CreditError>] {
    try await write(settlements, allOrNothing: allOrNothing)
  }
}

extension Settlement: CreditChange {
  typealias Outcome = SettlementOutcome
  typealias Answer = SettleRow

  static var statement: Statement { Queries.settleReservations }
  static var allOrNothingStatement: Statement? { Queries.settleAllReservations }

  var kind: ChangeKind {
    switch action {
    case .dispatch: .dispatch
    case .extend: .extend
    case .commit: .commit
    case .release: .release
    }
  }

  static func pendingChange(_ pending: Pending<Self>) -> PendingChange { .settlement(pending) }

  static func parameters(
    _ settlements: [Settlement], now: Date?, makeID: () -> UUID
  ) -> Parameters {
    Parameters(
      now,
      settlements.map(\.userID),
      settlements.map(\.reservationID),
      settlements.map(\.kind.rawValue),
      settlements.map(\.action.commit?.id),
      settlements.map(\.action.commit?.credits),
      settlements.map(\.action.commit?.isFinal),
      settlements.map(\.action.commit?.allowsOverrun),
      settlements.map(\.action.seconds),
      settlements.map { _ in makeID() })
  }
}

extension Settlement.Action {
  fileprivate var commit: Settlement.Commit? {
    if case .commit(let commit) = self { commit } else { nil }
  }

  fileprivate var seconds: Int32? {
    switch self {
    case .dispatch(let timeToLive): timeToLive.map { Int32($0.components.seconds) }
    case .extend(let timeToLive): Int32(timeToLive.components.seconds)
    case .commit, .release: nil
    }
  }
}

/// A row of `settle_reservations.sql`, or of `resolve_reservation.sql`.
struct SettleRow: CreditAnswer {
  var outcome: String
  var isReplayed: Bool
  var found: SettlementOutcome?

  init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    _ = try columns.read(Int64.self)
    outcome = try columns.read()
    isReplayed = try columns.read()
    guard outcome != "not_found" else { return }
    let reservation = try Reservation(&columns)
    found = SettlementOutcome(
      reservation: reservation,
      usage: try Usage(&columns, period: reservation.period),
      isReplayed: isReplayed,
      charged: try columns.read(),
      overrun: try columns.read(),
      released: try columns.read(),
      isLate: try columns.read())
  }

  var isSuccess: Bool { outcome == "settled" }

  var result: ChangeResult { ChangeResult(outcome: outcome, isReplayed: isReplayed) }

  func outcome(of settlement: Settlement) -> Result<SettlementOutcome, CreditError> {
    outcome(of: settlement.reservationID)
  }

  func outcome(of reservationID: UUID) -> Result<SettlementOutcome, CreditError> {
    guard let found else { return .failure(.unknownReservation(reservationID)) }
    switch outcome {
    case "settled": return .success(found)
    case "not_open": return .failure(.notOpen(found.reservation))
    case "exceeds_held": return .failure(.exceedsHeld(found.reservation))
    case "exceeds_maximum": return .failure(.exceedsMaximum(found.reservation))
    case "insufficient": return .failure(.insufficient(found.usage))
    default: return .failure(.conflicting(outcome))
    }
  }
}
