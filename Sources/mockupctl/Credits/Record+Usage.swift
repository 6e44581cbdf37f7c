internal import MockupClient

// Records of budgets and usage. The names are those of the messages' fields.

extension Record {
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

  init(_ user: UserUsage) {
    let usage = user.usage ?? CreditUsage()
    self.init([
      "user_id": .text(user.userID),
      "user_label": .optionalText(user.userLabel),
      "annual_budget": .number(usage.annualBudget),
      "total_used": .number(usage.totalUsed),
      "held": .number(usage.held),
      "remaining_annual": .number(usage.remainingAnnual),
      "monthly_soft_limit": .number(usage.monthlySoftLimit),
      "monthly_used": .number(usage.monthlyUsed),
      "monthly_held": .number(usage.monthlyHeld),
      "soft_limit_passed": .flag(usage.softLimitPassed),
      "unresolved_reservations": .number(user.unresolvedReservations),
    ])
  }

  /// Creates the row of a user in a table, with the most important fields first.
  init(row user: UserUsage) {
    let usage = user.usage ?? CreditUsage()
    self.init([
      "user": .text(user.userLabel.isEmpty ? user.userID : user.userLabel),
      "budget": .number(usage.annualBudget),
      "used": .number(usage.totalUsed),
      "held": .number(usage.held),
      "remaining": .number(usage.remainingAnnual),
      "month_used": .number(usage.monthlyUsed),
      "month_held": .number(usage.monthlyHeld),
      "soft_limit": .number(usage.monthlySoftLimit),
      "limit_passed": .flag(usage.softLimitPassed),
      "unresolved": .number(user.unresolvedReservations),
      "user_id": .text(user.userID),
    ])
  }

  init(_ totals: UsageTotals) {
    self.init([
      "users": .number(totals.users),
      "annual_budget": .number(totals.annualBudget),
      "used": .number(totals.used),
      "generation": .number(totals.generation),
      "regeneration": .number(totals.regeneration),
      "refund": .number(totals.refund),
      "held": .number(totals.held),
      "monthly_used": .number(totals.monthlyUsed),
      "monthly_held": .number(totals.monthlyHeld),
      "users_above_soft_limit": .number(totals.usersAboveSoftLimit),
      "unresolved_reservations": .number(totals.unresolvedReservations),
    ])
  }
}
