public import MockupAPI
internal import MockupCore
public import MockupDatabase
public import TTRPC

/// The implementation of `mockups.v1.CreditService`.
///
/// A method validates its request (`RequestFields`), calls the store, and converts the outcome or
/// the error (`StatusConvertible`) to its response. Single changes are coalesced into batches. Each
/// is answered when its batch has been written, without a task of its own.
public struct CreditService: CreditServiceHandler {
  let store: CreditStore
  let limit: ResponseLimit

  /// Creates the service.
  ///
  /// - Parameters:
  ///   - store: The store of reservations and the ledger.
  ///   - limit: The maximum size of a response.
  public init(store: CreditStore, limit: ResponseLimit = ResponseLimit()) {
    self.store = store
    self.limit = limit
  }

  /// Reserves credits, or checks if they are available.
  public func reserveCredits(
    _ request: ReserveCreditsRequest, context: ServerContext,
    completion: Method.Completion<ReserveCreditsResponse>
  ) throws -> Method.Cancellation {
    if request.mode == .checkOnly {
      let reservation = try request.check()
      return answerInTask(context, completion) { () throws(CreditError) in
        ReserveCreditsResponse(
          checking: reservation.credits, try await store.check(reservation))
      }
    }
    let reservation = try request.reservation()
    return try begin(context) { () throws(CreditError) in
      try store.reserve(reservation) { outcome in
        completion(outcome.response(context, ReserveCreditsResponse.init))
      }
    }
  }

  /// Marks a reservation as dispatched to the vendor.
  public func dispatchReservation(
    _ request: DispatchReservationRequest, context: ServerContext,
    completion: Method.Completion<DispatchReservationResponse>
  ) throws -> Method.Cancellation {
    try settle(try request.settlement(), context, completion, DispatchReservationResponse.init)
  }

  /// Spends credits of a reservation.
  public func commitReservation(
    _ request: CommitReservationRequest, context: ServerContext,
    completion: Method.Completion<CommitReservationResponse>
  ) throws -> Method.Cancellation {
    try settle(try request.settlement(), context, completion, CommitReservationResponse.init)
  }

  /// Releases a reservation, or all open reservations of a group.
  public func releaseReservation(
    _ request: ReleaseReservationRequest, context: ServerContext,
    completion: Method.Completion<ReleaseReservationResponse>
  ) throws -> Method.Cancellation {
    if let (userID, groupID) = try request.group() {
      return answerInTask(context, completion) { () throws(CreditError) in
        ReleaseReservationResponse(try await store.releaseGroup(groupID, of: userID))
      }
    }
    return try settle(
      try request.settlement(), context, completion
    ) { (outcome: SettlementOutcome) in
      ReleaseReservationResponse(outcome)
    }
  }

  /// Extends the time to live of a reservation.
  public func extendReservation(
    _ request: ExtendReservationRequest, context: ServerContext,
    completion: Method.Completion<ExtendReservationResponse>
  ) throws -> Method.Cancellation {
    try settle(try request.settlement(), context, completion, ExtendReservationResponse.init)
  }

  /// Refunds credits of a ledger entry.
  public func refundCredits(
    _ request: RefundCreditsRequest, context: ServerContext,
    completion: Method.Completion<RefundCreditsResponse>
  ) throws -> Method.Cancellation {
    let refund = try request.refund()
    return try begin(context) { () throws(CreditError) in
      try store.refund(refund) {
        completion($0.response(context, RefundCreditsResponse.init))
      }
    }
  }

  private func settle<Response>(
    _ settlement: Settlement, _ context: ServerContext,
    _ completion: Method.Completion<Response>,
    _ response: @escaping @Sendable (SettlementOutcome) -> Response
  ) throws -> Method.Cancellation {
    try begin(context) { () throws(CreditError) in
      try store.settle(settlement) { completion($0.response(context, response)) }
    }
  }

  /// Starts a change, whose completion handler answers the call.
  private func begin(
    _ context: ServerContext, _ change: () throws(CreditError) -> Method.Cancellation
  ) throws(RPCError) -> Method.Cancellation {
    do {
      return try change()
    } catch {
      throw error.status(context)
    }
  }

  /// Answers a call from a task, for work that is not coalesced.
  private func answerInTask<Response: Sendable>(
    _ context: ServerContext, _ completion: Method.Completion<Response>,
    _ work: @escaping @Sendable () async throws(CreditError) -> Response
  ) -> Method.Cancellation {
    // The task ends after its answer. The cancellation handler cancels it.
    let task = Task {
      let outcome: Result<Response, CreditError>
      do throws(CreditError) {
        outcome = .success(try await work())
      } catch {
        outcome = .failure(error)
      }
      completion(outcome.response(context) { $0 })
    }
    return { task.cancel() }
  }
}

extension Result where Failure == CreditError {
  /// Converts the outcome to a response, or the error to the status that the caller gets.
  fileprivate func response<Response>(
    _ context: ServerContext, _ response: (Success) -> Response
  ) -> Result<Response, RPCError> {
    switch self {
    case .success(let outcome): .success(response(outcome))
    case .failure(let error): .failure(error.status(context))
    }
  }
}
