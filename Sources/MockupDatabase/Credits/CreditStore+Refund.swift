public import FoundationEssentials
public import MockupCore
public import Postgres

/// A request to give back credits that a ledger entry charged.
public struct Refund: Sendable, Hashable {
  /// The user whose ledger has the charge.
  public var userID: UUID
  /// The idempotency key, made by the client and unique for the user.
  public var id: UUID
  /// The ledger entry of the charge.
  public var entryID: UUID
  /// The number of credits to give back; nil means all that have not been refunded yet.
  public var credits: Int32?

  /// Creates a request for a refund.
  public init(userID: UUID, id: UUID, entryID: UUID, credits: Int32?) {
    self.userID = userID
    self.id = id
    self.entryID = entryID
    self.credits = credits
  }
}

/// The result of a refund.
public struct RefundOutcome: Sendable, Hashable {
  /// The ledger entry of the refund.
  public var entry: LedgerEntry
  /// The user's credits after the refund, in the year and month of the charge.
  public var usage: Usage
  /// True if this is the result of an earlier call, which made the refund.
  public var isReplayed: Bool
}

extension CreditStore {
  /// Refunds credits of several charges in one transaction.
  ///
  /// The refunds are durable when the call returns.
  ///
  /// - Returns: The result of each refund, in order.
  public func refund(
    _ refunds: [Refund]
  ) async throws(PostgresError) -> [Result<RefundOutcome, CreditError>] {
    try await write(refunds)
  }
}

extension Refund: CreditChange {
  typealias Outcome = RefundOutcome
  typealias Answer = RefundRow

  static var statement: Statement { Queries.refundCredits }

  var kind: ChangeKind { .refund }

  static func pendingChange(_ pending: Pending<Self>) -> PendingChange { .refund(pending) }

  static func parameters(_ refunds: [Refund], now: Date?, makeID: () -> UUID) -> Parameters {
    Parameters(
      now,
      refunds.map(\.userID),
      refunds.map(\.id),
      refunds.map(\.entryID),
      refunds.map(\.credits),
      refunds.map { _ in makeID() })
  }
}

/// A row of `refund_credits.sql`.
struct RefundRow: CreditAnswer {
  var outcome: String
  var refunded: RefundOutcome?

  init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    outcome = try columns.read()
    let isReplayed = try columns.read(Bool.self)
    guard outcome == "refunded" else { return }
    let entry = try LedgerEntry(&columns)
    refunded = RefundOutcome(
      entry: entry, usage: try Usage(&columns, period: entry.period), isReplayed: isReplayed)
  }

  var isSuccess: Bool { outcome == "refunded" }

  var result: ChangeResult {
    ChangeResult(outcome: outcome, isReplayed: refunded?.isReplayed ?? false)
  }

  func outcome(of refund: Refund) -> Result<RefundOutcome, CreditError> {
    if let refunded { return .success(refunded) }
    switch outcome {
    case "not_found": return .failure(.unknownEntry(refund.entryID))
    case "not_a_charge": return .failure(.notACharge(refund.entryID))
    case "exceeds_charge": return .failure(.exceedsCharge(refund.entryID))
    default: return .failure(.conflicting(outcome))
    }
  }
}
