internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore

// Conversions from the store's values to the responses of `AdminService`.

extension GetUsageReportResponse {
  init(_ users: [MockupAPI.UserUsage], of page: UsageReportPage, _ query: UsageReportQuery) {
    let next = page.next.map {
      UsageReportToken(order: query.order, period: page.period, cursor: $0)
    }
    self.init(
      users: users, nextPageToken: next.map(PageToken.text) ?? "",
      totals: MockupAPI.UsageTotals(page.totals))
  }
}

extension MockupAPI.UserUsage {
  init(_ user: MockupDatabase.UserUsage) {
    self.init(
      userID: user.userID.wireText, usage: CreditUsage(user.usage),
      unresolvedReservations: user.unresolved, userLabel: user.label ?? "")
  }
}

extension MockupAPI.UnresolvedReservation {
  init(_ unresolved: MockupDatabase.UnresolvedReservation) {
    self.init(
      reservation: MockupAPI.Reservation(unresolved.reservation),
      unresolvedSince: Timestamp(unresolved.reservation.expiresAt),
      userLabel: unresolved.userLabel ?? "")
  }
}

extension MockupAPI.UsageTotals {
  init(_ totals: MockupDatabase.UsageTotals) {
    self.init(
      users: totals.users,
      annualBudget: totals.annualBudget,
      generation: totals.generation,
      regeneration: totals.regeneration,
      refund: totals.refund,
      used: totals.used,
      held: totals.held,
      monthlyUsed: totals.monthlyUsed,
      usersAboveSoftLimit: totals.usersAboveSoftLimit,
      unresolvedReservations: totals.unresolved,
      monthlyHeld: totals.monthlyHeld)
  }
}

extension SetBudgetResponse {
  init(_ outcome: BudgetOutcome) {
    self.init(
      usage: CreditUsage(outcome.usage),
      previousAnnualBudget: outcome.previousAnnualBudget,
      previousMonthlySoftLimit: outcome.previousMonthlySoftLimit)
  }
}

extension ResolveReservationResponse {
  init(_ outcome: SettlementOutcome) {
    self.init(
      reservation: MockupAPI.Reservation(outcome.reservation),
      usage: CreditUsage(outcome.usage),
      replayed: outcome.isReplayed)
  }
}

extension MockupAPI.Discrepancy {
  init(_ discrepancy: MockupDatabase.Discrepancy) {
    self.init(
      userID: discrepancy.userID.wireText, year: discrepancy.year,
      description: discrepancy.description)
  }
}

extension GetServerInfoResponse {
  init(_ facts: DatabaseFacts, _ status: ServerStatus) {
    self.init(
      version: status.version,
      startedAt: Timestamp(status.startedAt),
      now: Timestamp(facts.readAt),
      processID: status.processID,
      schemaVersion: facts.schemaVersion,
      databaseVersion: facts.version,
      openConnections: Int32(clamping: status.openConnections),
      callsInFlight: Int32(clamping: status.callsInFlight),
      unresolvedReservations: facts.unresolvedReservations,
      pendingMockups: facts.pendingMockups)
  }
}
