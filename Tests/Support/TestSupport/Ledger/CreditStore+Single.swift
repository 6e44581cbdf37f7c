internal import FoundationEssentials
public import MockupCore
public import MockupDatabase
internal import NIOConcurrencyHelpers

// Single changes, which are made in batches with others, for tests that wait for each outcome.

extension CreditStore {
  /// Reserves credits for a user.
  public func reserve(
    _ request: ReservationRequest
  ) async throws(CreditError) -> ReservationOutcome {
    try await outcome { completion throws(CreditError) in
      try reserve(request, completion: completion)
    }
  }

  /// Dispatches, extends, commits or releases a reservation.
  public func settle(_ settlement: Settlement) async throws(CreditError) -> SettlementOutcome {
    try await outcome { completion throws(CreditError) in
      try settle(settlement, completion: completion)
    }
  }

  /// Refunds credits of a charge.
  public func refund(_ refund: Refund) async throws(CreditError) -> RefundOutcome {
    try await outcome { completion throws(CreditError) in
      try self.refund(refund, completion: completion)
    }
  }

  /// Waits for the outcome of a change, and cancels the change if the task is cancelled.
  private func outcome<Outcome: Sendable>(
    _ begin: (
      _ completion: @escaping @Sendable (Result<Outcome, CreditError>) -> Void
    ) throws(CreditError) -> @Sendable () -> Void
  ) async throws(CreditError) -> Outcome {
    let cancellation = NIOLockedValueBox<(@Sendable () -> Void)?>(nil)
    return try await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        do throws(CreditError) {
          let cancel = try begin { continuation.resume(returning: $0) }
          cancellation.withLockedValue { $0 = cancel }
          if Task.isCancelled { cancel() }
        } catch {
          continuation.resume(returning: Result<Outcome, CreditError>.failure(error))
        }
      }
    } onCancel: {
      cancellation.withLockedValue { $0 }?()
    }.get()
  }
}
