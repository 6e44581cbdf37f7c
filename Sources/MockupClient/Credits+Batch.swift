public import MockupAPI
public import TTRPC

extension Credits {
  /// Sets credits aside for several requests at once, decided in their order.
  ///
  /// Each has a result of its own; too few credits are an answer, not an error.
  ///
  /// - Parameters:
  ///   - requests: 1 to 512, each under an id of its own.
  ///   - allOrNothing: Whether nothing is set aside unless everything is. Those requests that were not
  ///     to blame fail with ABORTED then.
  public func batchReserve(
    _ requests: [ReserveCreditsRequest], allOrNothing: Bool = false
  ) async throws(RPCError) -> [Result<ReserveCreditsResponse, RPCError>] {
    let request = BatchReserveCreditsRequest(
      requests: requests, mode: allOrNothing ? .allOrNothing : .continue)
    let response = try await stub.batchReserveCredits(request, options: options)
    return try response.results.map { result throws(RPCError) in
      switch result.outcome {
      case .response(let response): .success(response)
      case .error(let error): .failure(RPCError(error))
      case nil: throw .emptyResult
      }
    }
  }

  /// Dispatches, extends, commits and releases several reservations at once, in the order given.
  ///
  /// Each has a result of its own, of the kind of its settlement.
  ///
  /// - Parameters:
  ///   - settlements: 1 to 512.
  ///   - allOrNothing: As in ``batchReserve(_:allOrNothing:)``.
  public func batchSettle(
    _ settlements: [ReservationSettlement.Action], allOrNothing: Bool = false
  ) async throws(RPCError) -> [Result<BatchSettleReservationsResult.Outcome, RPCError>] {
    let request = BatchSettleReservationsRequest(
      settlements: settlements.map { ReservationSettlement(action: $0) },
      mode: allOrNothing ? .allOrNothing : .continue)
    let response = try await stub.batchSettleReservations(request, options: options)
    return try response.results.map { result throws(RPCError) in
      switch result.outcome {
      case .error(let error): .failure(RPCError(error))
      case let outcome?: .success(outcome)
      case nil: throw .emptyResult
      }
    }
  }
}

extension RPCError {
  /// What an item of a batch failed with, as if it had been a call of its own.
  fileprivate init(_ error: BatchError) {
    self.init(
      code: StatusCode(rawValue: error.code) ?? .unknown, message: error.message,
      details: error.field.isEmpty
        ? [] : [.badRequest([FieldViolation(field: error.field, description: error.message)])])
  }

  fileprivate static let emptyResult = RPCError(
    code: .internalError, message: "the answer has an empty result")
}
