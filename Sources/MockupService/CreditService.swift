internal import MockupAPI
internal import Mockups
public import MockupStore
public import TTRPC

/// The implementation of `mockups.v1.CreditService`.
///
/// A method validates its request (`RequestFields`), calls the store, and converts the outcome or
/// the error (`RPCError+Credits`) to its response. Single changes are coalesced into batches. Each
/// is answered when its batch has been written, without a task of its own.
public struct CreditService: Service {
  /// The full name of the service, `mockups.v1.CreditService`.
  public static var serviceName: String { CreditServiceClient.serviceName }

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

  /// The methods of the service, with their handlers.
  public var methods: [Method] {
    [
      .deferred("ReserveCredits", ReserveCreditsRequest.self, reserveCredits),
      .unary("BatchReserveCredits", BatchReserveCreditsRequest.self, batchReserveCredits),
      .deferred("DispatchReservation", DispatchReservationRequest.self, dispatchReservation),
      .deferred("CommitReservation", CommitReservationRequest.self, commitReservation),
      .deferred("ReleaseReservation", ReleaseReservationRequest.self, releaseReservation),
      .deferred("ExtendReservation", ExtendReservationRequest.self, extendReservation),
      .unary(
        "BatchSettleReservations", BatchSettleReservationsRequest.self, batchSettleReservations),
      .deferred("RefundCredits", RefundCreditsRequest.self, refundCredits),
      .unary("GetReservation", GetReservationRequest.self, getReservation),
      .unary("ListReservations", ListReservationsRequest.self, listReservations),
      .unary("GetCreditUsage", GetCreditUsageRequest.self, getCreditUsage),
      .unary("ListCreditUsage", ListCreditUsageRequest.self, listCreditUsage),
      .serverStreaming("ExportCreditUsage", ExportCreditUsageRequest.self, exportCreditUsage),
    ]
  }

  /// The names of the methods whose changes are coalesced into batches.
  var batchedMethods: Set<String> {
    [
      "ReserveCredits", "DispatchReservation", "CommitReservation", "ReleaseReservation",
      "ExtendReservation", "RefundCredits",
    ]
  }

  private func reserveCredits(
    _ request: ReserveCreditsRequest, context: ServerContext,
    answer: @escaping Method.Answer<ReserveCreditsResponse>
  ) throws -> Method.GivingUp {
    if request.mode == .checkOnly {
      let (userID, credits) = try request.check()
      return answerInTask(context, answer) { () throws(CreditError) in
        ReserveCreditsResponse(
          checking: credits, try await store.check(credits: credits, userID: userID))
      }
    }
    let reservation = try request.reservation()
    return try begin(context) { () throws(CreditError) in
      try store.reserve(reservation) { outcome in
        answer(outcome.map(ReserveCreditsResponse.init).asAnswer(context))
      }
    }
  }

  private func dispatchReservation(
    _ request: DispatchReservationRequest, context: ServerContext,
    answer: @escaping Method.Answer<DispatchReservationResponse>
  ) throws -> Method.GivingUp {
    try settle(try request.settlement(), context, answer, DispatchReservationResponse.init)
  }

  private func commitReservation(
    _ request: CommitReservationRequest, context: ServerContext,
    answer: @escaping Method.Answer<CommitReservationResponse>
  ) throws -> Method.GivingUp {
    try settle(try request.settlement(), context, answer, CommitReservationResponse.init)
  }

  private func releaseReservation(
    _ request: ReleaseReservationRequest, context: ServerContext,
    answer: @escaping Method.Answer<ReleaseReservationResponse>
  ) throws -> Method.GivingUp {
    if let (userID, groupID) = try request.group() {
      return answerInTask(context, answer) { () throws(CreditError) in
        ReleaseReservationResponse(try await store.releaseGroup(groupID, of: userID))
      }
    }
    return try settle(try request.settlement(), context, answer) { (outcome: SettlementOutcome) in
      ReleaseReservationResponse(outcome)
    }
  }

  private func extendReservation(
    _ request: ExtendReservationRequest, context: ServerContext,
    answer: @escaping Method.Answer<ExtendReservationResponse>
  ) throws -> Method.GivingUp {
    try settle(try request.settlement(), context, answer, ExtendReservationResponse.init)
  }

  private func refundCredits(
    _ request: RefundCreditsRequest, context: ServerContext,
    answer: @escaping Method.Answer<RefundCreditsResponse>
  ) throws -> Method.GivingUp {
    let refund = try request.refund()
    return try begin(context) { () throws(CreditError) in
      try store.refund(refund) { answer($0.map(RefundCreditsResponse.init).asAnswer(context)) }
    }
  }

  private func settle<Response>(
    _ settlement: Settlement, _ context: ServerContext,
    _ answer: @escaping Method.Answer<Response>,
    _ response: @escaping @Sendable (SettlementOutcome) -> Response
  ) throws -> Method.GivingUp {
    try begin(context) { () throws(CreditError) in
      try store.settle(settlement) { answer($0.map(response).asAnswer(context)) }
    }
  }

  /// Starts a change, whose completion handler answers the call.
  private func begin(
    _ context: ServerContext, _ change: () throws(CreditError) -> Method.GivingUp
  ) throws(RPCError) -> Method.GivingUp {
    do {
      return try change()
    } catch {
      throw RPCError(error, logger: context.logger)
    }
  }

  /// Answers a call from a task, for work that is not coalesced.
  private func answerInTask<Response: Sendable>(
    _ context: ServerContext, _ answer: @escaping Method.Answer<Response>,
    _ work: @escaping @Sendable () async throws(CreditError) -> Response
  ) -> Method.GivingUp {
    // The task ends after its answer. The cancellation handler cancels it.
    let task = Task {
      let outcome: Result<Response, CreditError>
      do throws(CreditError) {
        outcome = .success(try await work())
      } catch {
        outcome = .failure(error)
      }
      answer(outcome.asAnswer(context))
    }
    return { task.cancel() }
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

extension Result where Failure == CreditError {
  fileprivate func asAnswer(_ context: ServerContext) -> Result<Success, RPCError> {
    mapError { RPCError($0, logger: context.logger) }
  }
}
