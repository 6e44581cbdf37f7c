public import MockupAPI
internal import Mockups
public import MockupStore
public import TTRPC

/// Answers `mockups.v1.CreditService` from the books.
///
/// A method reads its request's fields into values, has the store do the work, and puts the outcome
/// into its response; what a field may hold is `RequestFields`'s, what an error means `RPCError+Credits`'s.
public struct CreditService: CreditServiceHandler {
  private let store: CreditStore

  public init(store: CreditStore) {
    self.store = store
  }

  public func reserveCredits(
    _ request: ReserveCreditsRequest, context: ServerContext
  ) async throws -> ReserveCreditsResponse {
    if request.mode == .checkOnly {
      let (userID, credits) = try request.check()
      return ReserveCreditsResponse(
        try await answer(context) { () throws(CreditError) in
          try await store.check(credits: credits, userID: userID)
        })
    }
    let reservation = try request.reservation()
    return ReserveCreditsResponse(
      try await answer(context) { () throws(CreditError) in
        try await store.reserve(reservation)
      })
  }

  public func commitReservation(
    _ request: CommitReservationRequest, context: ServerContext
  ) async throws -> CommitReservationResponse {
    let settlement = try request.settlement()
    return CommitReservationResponse(
      try await answer(context) { () throws(CreditError) in
        try await store.settle(settlement)
      })
  }

  public func releaseReservation(
    _ request: ReleaseReservationRequest, context: ServerContext
  ) async throws -> ReleaseReservationResponse {
    let settlement = try request.settlement()
    return ReleaseReservationResponse(
      try await answer(context) { () throws(CreditError) in
        try await store.settle(settlement)
      })
  }

  public func getReservation(
    _ request: GetReservationRequest, context: ServerContext
  ) async throws -> GetReservationResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let id = try RequestFields.uuid(request.reservationID, "reservation_id")
    let reservation = try await answer(context) { () throws(CreditError) in
      try await store.reservation(id, of: userID)
    }
    return GetReservationResponse(reservation: Reservation(reservation))
  }

  public func getCreditUsage(
    _ request: GetCreditUsageRequest, context: ServerContext
  ) async throws -> GetCreditUsageResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let year = try RequestFields.year(request.year, "year")
    let month = try RequestFields.month(request.month, "month")
    return GetCreditUsageResponse(
      CreditUsage(
        try await answer(context) { () throws(CreditError) in
          try await store.usage(of: userID, year: year, month: month)
        }))
  }

  public func listCreditUsage(
    _ request: ListCreditUsageRequest, context: ServerContext
  ) async throws -> ListCreditUsageResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let year = try RequestFields.year(request.year, "year")
    let month = try RequestFields.month(request.month, "month")
    let count = try RequestFields.pageSize(request.pageSize, "page_size")
    let cursor = try PageToken.cursor(request.pageToken, "page_token")
    let page = try await answer(context) { () throws(CreditError) in
      try await store.entries(of: userID, year: year, month: month, after: cursor, count: count)
    }
    return ListCreditUsageResponse(
      entries: page.entries.map { CreditUsageEntry($0) },
      nextPageToken: page.next.map(PageToken.text) ?? "")
  }

  private func answer<Value>(
    _ context: ServerContext, _ work: () async throws(CreditError) -> Value
  ) async throws(RPCError) -> Value {
    do {
      return try await work()
    } catch {
      throw RPCError(error, logger: context.logger)
    }
  }
}
