internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore

// Conversions from the domain's values to the responses of `CreditService`.

extension ReserveCreditsResponse {
  init(_ outcome: ReservationOutcome) {
    self.init(outcome.admission)
    reservation = Reservation(outcome.reservation)
    replayed = outcome.isReplayed
    granted = outcome.reservation.granted
  }

  /// Creates the response to a check, which has no reservation.
  init(checking credits: Int32, _ admission: Admission) {
    self.init(admission)
    granted = admission.isAdmitted ? credits : 0
  }

  private init(_ admission: Admission) {
    self.init(
      success: admission.isAdmitted,
      remaining: admission.remaining,
      message: admission.message,
      usage: CreditUsage(admission.usage))
  }
}

extension CommitReservationResponse {
  init(_ outcome: SettlementOutcome) {
    self.init(
      reservation: Reservation(outcome.reservation),
      committed: outcome.charged,
      released: outcome.released,
      remaining: Int32(clamping: outcome.usage.available),
      usage: CreditUsage(outcome.usage),
      replayed: outcome.isReplayed,
      late: outcome.isLate,
      overrun: outcome.overrun)
  }
}

extension ReleaseReservationResponse {
  init(_ outcome: SettlementOutcome) {
    self.init(
      reservation: Reservation(outcome.reservation),
      released: outcome.released,
      remaining: Int32(clamping: outcome.usage.available),
      usage: CreditUsage(outcome.usage),
      replayed: outcome.isReplayed,
      reservations: 1)
  }

  init(_ release: GroupRelease) {
    self.init(
      released: Int32(clamping: release.credits),
      remaining: Int32(clamping: release.usage.available),
      usage: CreditUsage(release.usage),
      replayed: release.isReplayed,
      reservations: Int32(clamping: release.reservations))
  }
}

extension DispatchReservationResponse {
  init(_ outcome: SettlementOutcome) {
    self.init(
      reservation: Reservation(outcome.reservation), replayed: outcome.isReplayed)
  }
}

extension ExtendReservationResponse {
  init(_ outcome: SettlementOutcome) {
    self.init(reservation: Reservation(outcome.reservation))
  }
}

extension RefundCreditsResponse {
  init(_ outcome: RefundOutcome) {
    self.init(
      entry: CreditUsageEntry(outcome.entry),
      refunded: outcome.entry.credits,
      remaining: Int32(clamping: outcome.usage.available),
      usage: CreditUsage(outcome.usage),
      replayed: outcome.isReplayed)
  }
}

extension GetCreditUsageResponse {
  init(_ usage: CreditUsage) {
    self.init(
      totalUsed: usage.totalUsed,
      monthlyUsed: usage.monthlyUsed,
      annualBudget: usage.annualBudget,
      monthlySoftLimit: usage.monthlySoftLimit,
      remainingAnnual: usage.remainingAnnual,
      remainingMonthly: usage.remainingMonthly,
      year: usage.year,
      month: usage.month,
      generation: usage.generation,
      regeneration: usage.regeneration,
      refund: usage.refund,
      held: usage.held,
      monthlyHeld: usage.monthlyHeld,
      softLimitPassed: usage.softLimitPassed)
  }
}

extension CreditUsage {
  init(_ usage: Usage) {
    self.init(
      totalUsed: usage.used,
      monthlyUsed: usage.monthlyUsed,
      annualBudget: Int64(usage.annualBudget),
      monthlySoftLimit: Int64(usage.monthlySoftLimit),
      remainingAnnual: usage.remainingAnnual,
      remainingMonthly: usage.remainingMonthly,
      year: usage.period.year,
      month: usage.period.month,
      generation: usage.generation,
      regeneration: usage.regeneration,
      refund: usage.refund,
      held: usage.held,
      monthlyHeld: usage.monthlyHeld,
      softLimitPassed: usage.softLimitIsPassed)
  }
}

extension MockupAPI.Reservation {
  init(_ reservation: MockupCore.Reservation) {
    self.init(
      userID: reservation.userID.wireText,
      reservationID: reservation.id.wireText,
      state: MockupAPI.ReservationState(reservation.state),
      credits: reservation.credits,
      held: reservation.held,
      committed: reservation.committed,
      operation: MockupAPI.Operation(reservation.operation),
      year: reservation.period.year,
      month: reservation.period.month,
      createdAt: Timestamp(reservation.createdAt),
      expiresAt: reservation.state == .refused ? nil : Timestamp(reservation.expiresAt),
      settledAt: reservation.settledAt.map { Timestamp($0) },
      mockupID: reservation.mockupID?.wireText ?? "",
      commitID: reservation.commitID?.wireText ?? "",
      late: reservation.isLate,
      granted: reservation.granted,
      overrun: reservation.overrun,
      groupID: reservation.groupID?.wireText ?? "",
      dispatchedAt: reservation.dispatchedAt.map { Timestamp($0) })
  }
}

extension CreditUsageEntry {
  init(_ entry: LedgerEntry) {
    self.init(
      entryID: entry.id.wireText,
      userID: entry.userID.wireText,
      sequence: entry.sequence,
      credits: entry.credits,
      operation: entry.operation.map { MockupAPI.Operation($0) } ?? .unspecified,
      balanceBefore: entry.balanceBefore,
      balanceAfter: entry.balanceAfter,
      year: entry.period.year,
      month: entry.period.month,
      createdAt: Timestamp(entry.createdAt),
      mockupID: entry.mockupID?.wireText ?? "",
      reservationID: entry.reservationID?.wireText ?? "",
      late: entry.isLate,
      overrun: entry.overrun,
      refundedEntryID: entry.refundedEntryID?.wireText ?? "")
  }
}

extension MockupAPI.Operation {
  init(_ operation: MockupCore.Operation) {
    switch operation {
    case .generation: self = .generation
    case .regeneration: self = .regeneration
    case .refund: self = .refund
    }
  }
}

extension MockupAPI.ReservationState {
  init(_ state: MockupCore.ReservationState) {
    switch state {
    case .held: self = .held
    case .committed: self = .committed
    case .released: self = .released
    case .expired: self = .expired
    case .refused: self = .refused
    case .dispatched: self = .dispatched
    case .unresolved: self = .unresolved
    }
  }
}
