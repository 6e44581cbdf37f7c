public import MockupAPI
internal import Mockups
public import MockupStore
public import TTRPC

/// Answers `mockups.v1.CreditService` from the books.
///
/// A method reads its request's fields into values, has the store do the work, and puts the outcome
/// into its response; what a field may hold is `RequestFields`'s, what an error means `RPCError+Credits`'s.
public struct CreditService: CreditServiceHandler {
  let store: CreditStore

  public init(store: CreditStore) {
    self.store = store
  }

  public func reserveCredits(
    _ request: ReserveCreditsRequest, context: ServerContext
  ) async throws -> ReserveCreditsResponse {
    if request.mode == .checkOnly {
      let (userID, credits) = try request.check()
      return ReserveCreditsResponse(
        checking: credits,
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
    if let (userID, groupID) = try request.group() {
      return ReleaseReservationResponse(
        try await answer(context) { () throws(CreditError) in
          try await store.releaseGroup(groupID, of: userID)
        })
    }
    let settlement = try request.settlement()
    return ReleaseReservationResponse(
      try await answer(context) { () throws(CreditError) in
        try await store.settle(settlement)
      })
  }

  public func dispatchReservation(
    _ request: DispatchReservationRequest, context: ServerContext
  ) async throws -> DispatchReservationResponse {
    let settlement = try request.settlement()
    return DispatchReservationResponse(
      try await answer(context) { () throws(CreditError) in
        try await store.settle(settlement)
      })
  }

  public func extendReservation(
    _ request: ExtendReservationRequest, context: ServerContext
  ) async throws -> ExtendReservationResponse {
    let settlement = try request.settlement()
    return ExtendReservationResponse(
      try await answer(context) { () throws(CreditError) in
        try await store.settle(settlement)
      })
  }

  public func refundCredits(
    _ request: RefundCreditsRequest, context: ServerContext
  ) async throws -> RefundCreditsResponse {
    let refund = try request.refund()
    return RefundCreditsResponse(
      try await answer(context) { () throws(CreditError) in
        try await store.refund(refund)
      })
  }

  func answer<Value>(
    _ context: ServerContext, _ work: () async throws(CreditError) -> Value
  ) async throws(RPCError) -> Value {
    do {
      return try await work()
    } catch {
      throw RPCError(error, logger: context.logger)
    }
  }
}
