public import FoundationEssentials
public import Mockups
public import Postgres

/// Credits that are to be given back of what an entry of the ledger charged.
public struct Refund: Sendable, Hashable {
  public var userID: UUID
  /// Made by the client; makes it happen once.
  public var id: UUID
  public var entryID: UUID
  /// `nil`: all that was not refunded yet.
  public var credits: Int32?

  public init(userID: UUID, id: UUID, entryID: UUID, credits: Int32?) {
    self.userID = userID
    self.id = id
    self.entryID = entryID
    self.credits = credits
  }
}

/// What was given back.
public struct RefundOutcome: Sendable, Hashable {
  /// The refund's own entry.
  public var entry: LedgerEntry
  /// The user's credits after it, in the month that was charged.
  public var usage: Usage
  /// The refund was sent before, and this is its first answer again.
  public var isReplayed: Bool
}

extension CreditStore {
  /// Gives back credits that were spent, together with what else has gathered; durable when it returns.
  public func refund(_ refund: Refund) async throws(CreditError) -> RefundOutcome {
    try await writer.write(refund)
  }

  /// Gives back credits that were spent. In one transaction, durable when it returns.
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

  func pending(_ completion: @escaping Completion) -> PendingChange {
    .refund(self, completion)
  }

  static func parameters(_ refunds: [Refund], now: Date, makeID: () -> UUID) -> Parameters {
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
