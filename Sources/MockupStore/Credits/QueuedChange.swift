internal import FoundationEssentials
internal import Mockups
internal import Postgres

/// A change of any kind. A batch has those of one.
enum QueuedChange: Sendable {
  case reservation(ReservationRequest)
  case settlement(Settlement)
  case refund(Refund)

  func hasKind(of other: QueuedChange) -> Bool {
    switch (self, other) {
    case (.reservation, .reservation), (.settlement, .settlement), (.refund, .refund): true
    default: false
    }
  }

  private var reservation: ReservationRequest? {
    if case .reservation(let request) = self { request } else { nil }
  }

  private var settlement: Settlement? {
    if case .settlement(let settlement) = self { settlement } else { nil }
  }

  private var refund: Refund? {
    if case .refund(let refund) = self { refund } else { nil }
  }

  /// What has the engine make the changes; nil where there are none.
  static func statement(
    of changes: [QueuedChange], now: () -> Date, makeID: () -> UUID
  ) -> (Statement, Parameters)? {
    func statement<Change: CreditChange>(_ changes: [Change]) -> (Statement, Parameters) {
      (Change.statement, Change.parameters(changes, now: now(), makeID: makeID))
    }
    switch changes.first {
    case .reservation: return statement(changes.compactMap(\.reservation))
    case .settlement: return statement(changes.compactMap(\.settlement))
    case .refund: return statement(changes.compactMap(\.refund))
    case nil: return nil
    }
  }

  /// What its answer says of each.
  static func outcomes(
    of changes: [QueuedChange], _ rows: Rows
  ) throws(PostgresError) -> [QueuedOutcome] {
    func outcomes<Change: CreditChange>(
      _ changes: [Change]
    ) throws(PostgresError) -> [Result<Change.Outcome, CreditError>] {
      try Change.outcomes(of: changes, try rows.map(Change.Answer.init))
    }
    switch changes.first {
    case .reservation:
      return try outcomes(changes.compactMap(\.reservation)).map { .reservation($0) }
    case .settlement: return try outcomes(changes.compactMap(\.settlement)).map { .settlement($0) }
    case .refund: return try outcomes(changes.compactMap(\.refund)).map { .refund($0) }
    case nil: return []
    }
  }
}

/// What has become of a change, of the same kind.
enum QueuedOutcome: Sendable {
  case reservation(Result<ReservationOutcome, CreditError>)
  case settlement(Result<SettlementOutcome, CreditError>)
  case refund(Result<RefundOutcome, CreditError>)
}

extension ReservationRequest {
  var queued: QueuedChange { .reservation(self) }

  static func outcome(in queued: QueuedOutcome) -> Result<ReservationOutcome, CreditError> {
    guard case .reservation(let outcome) = queued else {
      preconditionFailure("a reservation is answered as one")
    }
    return outcome
  }
}

extension Settlement {
  var queued: QueuedChange { .settlement(self) }

  static func outcome(in queued: QueuedOutcome) -> Result<SettlementOutcome, CreditError> {
    guard case .settlement(let outcome) = queued else {
      preconditionFailure("a settlement is answered as one")
    }
    return outcome
  }
}

extension Refund {
  var queued: QueuedChange { .refund(self) }

  static func outcome(in queued: QueuedOutcome) -> Result<RefundOutcome, CreditError> {
    guard case .refund(let outcome) = queued else {
      preconditionFailure("a refund is answered as one")
    }
    return outcome
  }
}
