public import MockupCore
public import MockupDatabase

// Single changes, which are made in batches with others, for tests that wait for each outcome.

extension CreditStore {
  /// Reserves credits for a user.
  public func reserve(
    _ request: ReservationRequest
  ) async throws(CreditError) -> ReservationOutcome {
    try await MockupDatabase.completion { completion throws(CreditError) in
      try reserve(request, completion: completion)
    }
  }

  /// Dispatches, extends, commits or releases a reservation.
  public func settle(_ settlement: Settlement) async throws(CreditError) -> SettlementOutcome {
    try await MockupDatabase.completion { completion throws(CreditError) in
      try settle(settlement, completion: completion)
    }
  }

  /// Refunds credits of a charge.
  public func refund(_ refund: Refund) async throws(CreditError) -> RefundOutcome {
    try await MockupDatabase.completion { completion throws(CreditError) in
      try self.refund(refund, completion: completion)
    }
  }
}
