internal import Foundation
internal import MockupClient

// The admin's answers as records. The names are the messages' own.

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
      "started_at": .time(info.startedAt?.date),
      "now": .time(info.now?.date),
      "schema_version": .number(info.schemaVersion),
      "database_version": .text(info.databaseVersion),
      "open_connections": .number(info.openConnections),
      "calls_in_flight": .number(info.callsInFlight),
      "unresolved_reservations": .number(info.unresolvedReservations),
      "pending_mockups": .number(info.pendingMockups),
    ])
  }
}

extension OutputFormat {
  /// Writes a report: a table with the totals below it, or an object of both.
  func write(_ users: [Record], totals: Record) throws {
    try write(users, named: "users", below: totals, named: "totals")
  }

  /// Writes a list and what is said of it as a whole: below it, or in an object with it.
  func write(
    _ records: [Record], named name: String, below summary: Record, named summaryName: String? = nil
  ) throws {
    switch self {
    case .table:
      if !records.isEmpty {
        try write(records)
        print()
      }
      try write(summary)
    case .json:
      var object: [String: Any] =
        summaryName.map { [$0: summary.object] } ?? summary.object
      object[name] = records.map(\.object)
      let data = try JSONSerialization.data(
        withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
      print(String(decoding: data, as: UTF8.self))
    }
  }
}
