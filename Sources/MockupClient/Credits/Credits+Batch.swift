public import MockupAPI
public import TTRPC

extension Credits {
  /// Reserves credits for several requests in one call.
  ///
  /// The server decides about the requests in their order. Each request has its own result.
  /// Insufficient credits are reported in the response, with `success` set to `false`, not as an
  /// error.
  ///
  /// - Parameters:
  ///   - requests: 1 to 512 requests, each with its own reservation id.
  ///   - allOrNothing: If `true`, nothing is reserved unless every request succeeds. Requests that
  ///     would have succeeded then fail with ABORTED.
  /// - Returns: The results, in the order of the requests.
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

  /// Dispatches, extends, commits and releases several reservations in one call, in the order
  /// given.
  ///
  /// - Parameters:
  ///   - settlements: 1 to 512 settlements.
  ///   - allOrNothing: If `true`, nothing is settled unless every settlement succeeds. Settlements
  ///     that would have succeeded then fail with ABORTED.
  /// - Returns: The results, in the order of the settlements. Each is the response to the
  ///   settlement, or an error.
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
  /// Creates the error that a separate call would throw for a failed item of a batch.
  fileprivate init(_ error: BatchError) {
    self.init(
      code: StatusCode(rawValue: error.code) ?? .unknown, message: error.message,
      details: error.field.isEmpty
        ? [] : [.badRequest([FieldViolation(field: error.field, description: error.message)])])
  }

  fileprivate static let emptyResult = RPCError(
    code: .internalError, message: "the response has an empty result")
}
