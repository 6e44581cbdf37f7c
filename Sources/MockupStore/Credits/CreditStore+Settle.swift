public import FoundationEssentials
public import Mockups
public import Postgres

/// What is to become of a reservation.
public struct Settlement: Sendable, Hashable {
  public var userID: UUID
  public var reservationID: UUID
  public var action: Action

  public enum Action: Sendable, Hashable {
    /// The vendor is about to be called. With a time to live it extends as well.
    case dispatch(timeToLive: Duration? = nil)
    /// Its time ends so much later than now, if that is later than it did.
    case extend(timeToLive: Duration)
    /// Spend credits.
    case commit(Commit)
    /// Give back what it holds.
    case release

    /// A commit of so many credits, or of all that are left; see ``Commit``.
    public static func commit(
      id: UUID, credits: Int32?, isFinal: Bool = true, allowsOverrun: Bool = false
    ) -> Action {
      .commit(Commit(id: id, credits: credits, isFinal: isFinal, allowsOverrun: allowsOverrun))
    }
  }

  /// What is to be spent of a reservation.
  public struct Commit: Sendable, Hashable {
    /// Makes it happen once.
    public var id: UUID
    /// `nil`: all that are left. Spending none in the end is a release.
    public var credits: Int32?
    /// Whether what is left then is free again; otherwise the reservation stays as it is.
    public var isFinal: Bool
    /// Whether it may be more than is left, as long as that is available.
    public var allowsOverrun: Bool
  }

  public init(userID: UUID, reservationID: UUID, action: Action) {
    self.userID = userID
    self.reservationID = reservationID
    self.action = action
  }
}

/// What has become of a reservation.
public struct SettlementOutcome: Sendable, Hashable {
  public var reservation: Reservation
  /// The user's credits after it.
  public var usage: Usage
  /// It was settled so before, and this is the first answer again.
  public var isReplayed: Bool
  /// What this spent.
  public var charged: Int32
  /// What of that was more than the reservation had left.
  public var overrun: Int32
  /// What this gave back.
  public var released: Int32
  /// Whether it was spent after the reservation's time had passed.
  public var isLate: Bool
}

extension CreditStore {
  /// Does one thing to one reservation, together with what else has gathered; durable when it returns.
  public func settle(_ settlement: Settlement) async throws(CreditError) -> SettlementOutcome {
    try await writer.write(settlement)
  }

  /// Dispatches, extends, commits and releases reservations. In one transaction, durable when it
  /// returns.
  ///
  /// - Parameter allOrNothing: Whether nothing is written unless every item succeeds. Those that do
  ///   not have their own error then, and the others ``CreditError/batchFailed``.
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

  func pending(_ completion: @escaping Completion) -> PendingChange {
    .settlement(self, completion)
  }

  static func parameters(
    _ settlements: [Settlement], now: Date, makeID: () -> UUID
  ) -> Parameters {
    Parameters(
      now,
      settlements.map(\.userID),
      settlements.map(\.reservationID),
      settlements.map(\.action.word),
      settlements.map(\.action.commit?.id),
      settlements.map(\.action.commit?.credits),
      settlements.map(\.action.commit?.isFinal),
      settlements.map(\.action.commit?.allowsOverrun),
      settlements.map(\.action.seconds),
      settlements.map { _ in makeID() })
  }
}

extension Settlement.Action {
  /// The engine's word for it.
  fileprivate var word: String {
    switch self {
    case .dispatch: "dispatch"
    case .extend: "extend"
    case .commit: "commit"
    case .release: "release"
    }
  }

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
