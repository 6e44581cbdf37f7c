internal import Foundation
internal import MockupClient

// Records of the responses of AdminService. The names are those of the messages' fields.

extension Record {
  init(_ user: UserUsage) {
    let usage = user.usage ?? CreditUsage()
    self.init([
      "user_id": .text(user.userID),
      "annual_budget": .number(usage.annualBudget),
      "total_used": .number(usage.totalUsed),
      "held": .number(usage.held),
      "remaining_annual": .number(usage.remainingAnnual),
      "monthly_soft_limit": .number(usage.monthlySoftLimit),
      "monthly_used": .number(usage.monthlyUsed),
      "monthly_held": .number(usage.monthlyHeld),
      "soft_limit_passed": .flag(usage.softLimitPassed),
      "unresolved": .number(user.unresolvedReservations),
    ])
  }

  init(_ totals: UsageTotals) {
    self.init([
      "users": .number(totals.users),
      "annual_budget": .number(totals.annualBudget),
      "total_used": .number(totals.used),
      "generation": .number(totals.generation),
      "regeneration": .number(totals.regeneration),
      "refund": .number(totals.refund),
      "held": .number(totals.held),
      "monthly_used": .number(totals.monthlyUsed),
      "monthly_held": .number(totals.monthlyHeld),
      "users_above_soft_limit": .number(totals.usersAboveSoftLimit),
      "unresolved": .number(totals.unresolvedReservations),
    ])
  }

  init(_ discrepancy: Discrepancy) {
    self.init([
      "user_id": .text(discrepancy.userID),
      "year": .number(discrepancy.year),
      "description": .text(discrepancy.description),
    ])
  }

  init(_ info: GetServerInfoResponse) {
    self.init([
      "version": .text(info.version),
      "process_id": .number(info.processID),
      "started_at": .time(info.startedAt),
      "now": .time(info.now),
      "schema_version": .number(info.schemaVersion),
      "database_version": .text(info.databaseVersion),
      "open_connections": .number(info.openConnections),
      "calls_in_flight": .number(info.callsInFlight),
      "unresolved_reservations": .number(info.unresolvedReservations),
      "pending_mockups": .number(info.pendingMockups),
    ])
  }
}
