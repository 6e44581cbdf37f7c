public import FoundationEssentials
public import Mockups
internal import Postgres

/// A user's budgets after a change, and before.
public struct BudgetOutcome: Sendable, Hashable {
  /// The user's credits after it.
  public var usage: Usage
  public var previousAnnualBudget: Int32
  public var previousMonthlySoftLimit: Int32
}

extension AdminStore {
  /// Sets a user's budget, soft limit, or both. It may be below what is spent and held.
  ///
  /// - Parameters:
  ///   - annualBudget: `nil`: as it is.
  ///   - monthlySoftLimit: `nil`: as it is.
  ///   - changedBy: Who does it, for the record.
  public func setBudget(
    of userID: UUID, annualBudget: Int32?, monthlySoftLimit: Int32?, changedBy: String
  ) async throws(CreditError) -> BudgetOutcome {
    let parameters = Parameters(now(), userID, annualBudget, monthlySoftLimit, changedBy)
    let outcomes = try await read(Queries.setBudget, parameters) { row throws(PostgresError) in
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
