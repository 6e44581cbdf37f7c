internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

// Conversions from the requests of `AdminService` to the store's values.

extension GetUsageReportRequest {
  /// Returns the query of the report, and the user after whom the page begins.
  func query() throws(RPCError) -> (query: UsageReportQuery, after: UsageReportPage.Cursor?) {
    var query = UsageReportQuery(
      year: try RequestFields.year(year, "year"),
      month: try RequestFields.month(month, "month"),
      order: try reportOrder(),
      userID: try RequestFields.optionalUUID(userID, "user_id"),
      onlyActive: activeOnly,
      onlySoftLimitPassed: softLimitPassedOnly,
      availableAtMost: availableAtMost)
    guard let token = try PageToken.usageReport(pageToken, "page_token") else {
      return (query, nil)
    }
    guard token.order == query.order, query.year ?? token.period.year == token.period.year,
      query.month ?? token.period.month == token.period.month
    else { throw .invalid("page_token", "belongs to a report with another order, year or month") }
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
      throw .invalid("order", "\(number) is not a supported value")
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
  /// Returns the user and the new budgets; `nil` leaves a budget unchanged.
  func change() throws(RPCError) -> (userID: UUID, annual: Int32?, monthly: Int32?) {
    let userID = try RequestFields.uuid(userID, "user_id")
    if let annualBudget, annualBudget < 0 {
      throw .invalid("annual_budget", "\(annualBudget) is negative")
    }
    if let monthlySoftLimit, monthlySoftLimit < 0 {
      throw .invalid("monthly_soft_limit", "\(monthlySoftLimit) is negative")
    }
    guard annualBudget != nil || monthlySoftLimit != nil else {
      throw .invalid("annual_budget", "or monthly_soft_limit is required")
    }
    return (userID, annualBudget, monthlySoftLimit)
  }
}
