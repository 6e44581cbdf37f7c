internal import FoundationEssentials
internal import MockupAPI
internal import MockupStore
internal import Mockups
internal import TTRPC

// From the requests of `AdminService` to the store's values.

extension GetUsageReportRequest {
  /// What is asked for, and after whom.
  func query() throws(RPCError) -> (query: UsageReportQuery, after: UsageReportPage.Cursor?) {
    var query = UsageReportQuery(
      year: try RequestFields.year(year, "year"),
      month: try RequestFields.month(month, "month"),
      order: try reportOrder(),
      userID: try RequestFields.optionalUUID(userID, "user_id"),
      onlyActive: activeOnly,
      onlySoftLimitPassed: softLimitPassedOnly,
      availableAtMost: availableAtMost)
    guard !pageToken.isEmpty else { return (query, nil) }
    let token = try UsageReportToken(pageToken, "page_token")
    guard token.order == query.order, query.year ?? token.period.year == token.period.year,
      query.month ?? token.period.month == token.period.month
    else { throw .invalid("page_token", "is of another order, year or month") }
    query.year = token.period.year
    query.month = token.period.month
    return (query, token.cursor)
  }

  private func reportOrder() throws(RPCError) -> UsageReportQuery.Order {
    switch order {
    case .unspecified: return .userID
    case .used: return .used
    case .held: return .held
    case .available: return .available
    case .monthlyUsed: return .monthlyUsed
    case .unrecognized(let number):
      throw .invalid("order", "\(number) is no order of this server")
    }
  }
}

extension ResolveReservationRequest {
  func resolution() throws(RPCError) -> Resolution {
    let userID = try RequestFields.uuid(userID, "user_id")
    let reservationID = try RequestFields.uuid(reservationID, "reservation_id")
    let id = try RequestFields.optionalUUID(resolutionID, "resolution_id") ?? reservationID
    guard credits >= 0 else { throw .invalid("credits", "\(credits) is negative") }
    return Resolution(
      userID: userID, reservationID: reservationID, id: id, credits: credits,
      allowsOverrun: allowOverrun)
  }
}

extension SetBudgetRequest {
  /// Whose budgets, and what they are to be.
  func change() throws(RPCError) -> (userID: UUID, annual: Int32?, monthly: Int32?) {
    let userID = try RequestFields.uuid(userID, "user_id")
    if let annualBudget, annualBudget < 0 {
      throw .invalid("annual_budget", "\(annualBudget) is negative")
    }
    if let monthlySoftLimit, monthlySoftLimit < 0 {
      throw .invalid("monthly_soft_limit", "\(monthlySoftLimit) is negative")
    }
    guard annualBudget != nil || monthlySoftLimit != nil else {
      throw .invalid("annual_budget", "is missing, and so is monthly_soft_limit")
    }
    return (userID, annualBudget, monthlySoftLimit)
  }
}
