public import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import Postgres
public import TTRPC

extension CreditService {
  /// The maximum number of items in a batch.
  static let maximumBatchSize = 512

  /// Reserves credits for up to 512 requests, in one transaction.
  public func batchReserveCredits(
    _ request: BatchReserveCreditsRequest, context: ServerContext
  ) async throws -> BatchReserveCreditsResponse {
    let reservations = try items(request.requests, "requests") {
      request throws(RPCError) in try request.reservation()
    }
    let allOrNothing = try request.mode.isAllOrNothing()
    let outcomes = try await answer(context) { () throws(PostgresError) in
      try await store.reserve(reservations, allOrNothing: allOrNothing)
    }
    return BatchReserveCreditsResponse(
      results: outcomes.map { outcome in
        switch outcome {
        case .success(let outcome):
          BatchReserveCreditsResult(outcome: .response(ReserveCreditsResponse(outcome)))
        case .failure(let error):
          BatchReserveCreditsResult(outcome: .error(BatchError(error, context)))
        }
      })
  }

  /// Dispatches, extends, commits or releases up to 512 reservations, in one transaction.
  public func batchSettleReservations(
    _ request: BatchSettleReservationsRequest, context: ServerContext
  ) async throws -> BatchSettleReservationsResponse {
    let settlements = try items(request.settlements, "settlements") {
      item throws(RPCError) in try item.settlement()
    }
    let allOrNothing = try request.mode.isAllOrNothing()
    let outcomes = try await answer(context) { () throws(PostgresError) in
      try await store.settle(settlements, allOrNothing: allOrNothing)
    }
    return BatchSettleReservationsResponse(
      results: zip(settlements, outcomes).map { settlement, outcome in
        switch outcome {
        case .success(let outcome):
          BatchSettleReservationsResult(outcome: .init(outcome, of: settlement.action))
        case .failure(let error):
          BatchSettleReservationsResult(outcome: .error(BatchError(error, context)))
        }
      })
  }

  /// Converts each item of a batch.
  ///
  /// - Throws: INVALID_ARGUMENT with the item's index if an item is invalid, or if the answers to
  ///   all items may not fit into a response.
  private func items<Item, Value>(
    _ items: [Item], _ field: String, _ read: (Item) throws(RPCError) -> Value
  ) throws(RPCError) -> [Value] {
    guard (1...Self.maximumBatchSize).contains(items.count) else {
      throw .invalid(field, "must have 1 to \(Self.maximumBatchSize) items, not \(items.count)")
    }
    try limit.check(items: items.count, field)
    var values: [Value] = []
    for (index, item) in items.enumerated() {
      values.append(
        try inside("\(field)[\(index)]") { () throws(RPCError) in try read(item) })
    }
    return values
  }
}

extension ReservationSettlement {
  fileprivate func settlement() throws(RPCError) -> Settlement {
    switch action {
    case .dispatch(let request): return try inside("dispatch", request.settlement)
    case .commit(let request): return try inside("commit", request.settlement)
    case .extend(let request): return try inside("extend", request.settlement)
    case .release(let request):
      return try inside("release") { () throws(RPCError) in
        guard request.groupID.isEmpty else {
          throw .invalid("group_id", "is not supported in a batch")
        }
        return try request.settlement()
      }
    case nil: throw .invalid("action", "is missing")
    }
  }
}

extension BatchSettleReservationsResult.Outcome {
  fileprivate init(_ outcome: SettlementOutcome, of action: Settlement.Action) {
    switch action {
    case .dispatch: self = .dispatch(DispatchReservationResponse(outcome))
    case .commit: self = .commit(CommitReservationResponse(outcome))
    case .release: self = .release(ReleaseReservationResponse(outcome))
    case .extend: self = .extend(ExtendReservationResponse(outcome))
    }
  }
}

extension BatchMode {
  fileprivate func isAllOrNothing() throws(RPCError) -> Bool {
    switch self {
    case .unspecified, .continue: return false
    case .allOrNothing: return true
    case .unrecognized(let number): throw .invalid("mode", "\(number) is not a supported value")
    }
  }
}

extension BatchError {
  fileprivate init(_ error: CreditError, _ context: ServerContext) {
    let error = error.status(context)
    self.init(
      code: error.code.rawValue, message: error.message,
      field: error.fieldViolations.first?.field ?? "")
  }
}

/// Returns the value of a closure, whose error gets the path of its field inside another field.
private func inside<Value>(
  _ path: String, _ read: () throws(RPCError) -> Value
) throws(RPCError) -> Value {
  do throws(RPCError) {
    return try read()
  } catch {
    guard let violation = error.fieldViolations.first else { throw error }
    throw .invalid("\(path).\(violation.field)", violation.description)
  }
}
