internal import MockupClient

// Records of the service's responses. The names are those of the messages' fields.

extension Record {
  init(_ reservation: Reservation) {
    self.init([
      "reservation_id": .text(reservation.reservationID),
      "user_id": .text(reservation.userID),
      "state": .text(reservation.state.word),
      "operation": .text(reservation.operation.word),
      "credits": .number(reservation.credits),
      "granted": .number(reservation.granted),
      "held": .number(reservation.held),
      "committed": .number(reservation.committed),
      "overrun": .number(reservation.overrun),
      "year": .number(reservation.year),
      "month": .number(reservation.month),
      "created_at": .time(reservation.createdAt),
      "expires_at": .time(reservation.expiresAt),
      "dispatched_at": .time(reservation.dispatchedAt),
      "settled_at": .time(reservation.settledAt),
      "mockup_id": .id(reservation.mockupID),
      "group_id": .id(reservation.groupID),
      "commit_id": .id(reservation.commitID),
      "late": .flag(reservation.late),
    ])
  }

  init(_ usage: GetCreditUsageResponse) {
    self.init([
      "year": .number(usage.year),
      "month": .number(usage.month),
      "annual_budget": .number(usage.annualBudget),
      "total_used": .number(usage.totalUsed),
      "generation": .number(usage.generation),
      "regeneration": .number(usage.regeneration),
      "refund": .number(usage.refund),
      "held": .number(usage.held),
      "remaining_annual": .number(usage.remainingAnnual),
      "monthly_soft_limit": .number(usage.monthlySoftLimit),
      "monthly_used": .number(usage.monthlyUsed),
      "monthly_held": .number(usage.monthlyHeld),
      "remaining_monthly": .number(usage.remainingMonthly),
      "soft_limit_passed": .flag(usage.softLimitPassed),
    ])
  }

  init(_ entry: CreditUsageEntry) {
    self.init([
      "year": .number(entry.year),
      "month": .number(entry.month),
      "sequence": .number(entry.sequence),
      "operation": .text(entry.operation.word),
      "credits": .number(entry.credits),
      "balance_before": .number(entry.balanceBefore),
      "balance_after": .number(entry.balanceAfter),
      "created_at": .time(entry.createdAt),
      "reservation_id": .id(entry.reservationID),
      "mockup_id": .id(entry.mockupID),
      "late": .flag(entry.late),
      "overrun": .number(entry.overrun),
      "refunded_entry_id": .id(entry.refundedEntryID),
      "entry_id": .text(entry.entryID),
    ])
  }
}

extension Operation {
  var word: String {
    switch self {
    case .unspecified: "unspecified"
    case .generation: "generation"
    case .regeneration: "regeneration"
    case .refund: "refund"
    case .unrecognized(let number): "\(number)"
    }
  }
}

extension ReservationState {
  var word: String {
    switch self {
    case .unspecified: "unspecified"
    case .held: "held"
    case .committed: "committed"
    case .released: "released"
    case .expired: "expired"
    case .refused: "refused"
    case .dispatched: "dispatched"
    case .unresolved: "unresolved"
    case .unrecognized(let number): "\(number)"
    }
  }
}
