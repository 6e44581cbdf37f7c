public import FoundationEssentials
public import MockupCore
internal import Postgres

/// The result of setting a user's budget.
public struct BudgetOutcome: Sendable, Hashable {
  /// The user's credits in the current month, with the new budget and soft limit.
  public var usage: Usage
  /// The annual budget before the change, in credits.
  public var previousAnnualBudget: Int32
  /// The monthly soft limit before the change, in credits.
  public var previousMonthlySoftLimit: Int32
}

extension AdminStore {
  /// Sets a user's annual budget, monthly soft limit, or both.
  ///
  /// The budget may be less than the credits that are used and held; then no credits are available.
  ///
  /// - Parameters:
  ///   - userID: The user.
  ///   - annualBudget: The new annual budget in credits; nil leaves it unchanged.
  ///   - monthlySoftLimit: The new monthly soft limit in credits; nil leaves it unchanged.
  ///   - changedBy: The identity of the caller, for the record of budget changes.
  ///   - isTrial: If true, nothing changes, and only the outcome is returned.
  /// - Throws: ``CreditError/unknownUser(_:)`` if the user does not exist.
  public func setBudget(
    of userID: UUID, annualBudget: Int32?, monthlySoftLimit: Int32?, changedBy: String,
    isTrial: Bool = false
  ) async throws(CreditError) -> BudgetOutcome {
    let parameters = Parameters(now(), userID, annualBudget, monthlySoftLimit, changedBy)
    let statement = isTrial ? Queries.trySetBudget : Queries.setBudget
    let outcomes = try await write(statement, of: userID, parameters) { row throws(PostgresError) in
      var columns = ColumnReader(row)
      let previousAnnualBudget = try columns.read(Int32.self)
      let previousMonthlySoftLimit = try columns.read(Int32.self)
      let period = Period(year: try columns.read(), month: try columns.read())
      return BudgetOutcome(
        usage: try Usage(&columns, period: period),
        previousAnnualBudget: previousAnnualBudget,
        previousMonthlySoftLimit: previousMonthlySoftLimit)
    }
    guard let outcome = outcomes.first else { throw .unknownUser(userID) }
    return outcome
  }
}
