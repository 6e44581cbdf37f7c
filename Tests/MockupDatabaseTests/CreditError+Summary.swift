import MockupDatabase
import MockupCore
import Postgres

extension CreditError {
  /// A short description, for tables of expected results.
  var summary: String {
    switch self {
    case .unknownUser: "unknown user"
    case .unknownMockup: "unknown mockup"
    case .unknownReservation: "unknown reservation"
    case .unknownEntry: "unknown entry"
    case .unknownGroup: "unknown group"
    case .conflict(let field): "conflict in \(field.rawValue)"
    case .notOpen(let reservation): "not open but \(reservation.state.rawValue)"
    case .exceedsHeld(let reservation): "more than \(reservation.left)"
    case .exceedsMaximum(let reservation): "beyond the maximum, \(reservation.committed) committed"
    case .insufficient(let usage): "insufficient, \(usage.available) available"
    case .notACharge: "not a charge"
    case .exceedsCharge: "more than was charged"
    case .batchFailed: "batch failed"
    case .database(let error): "database \(error.code)"
    }
  }
}

/// Runs a call, and returns a short description of its outcome or its error.
func summary<Outcome>(_ body: () async throws -> Outcome) async throws -> String {
  do {
    return summary(of: .success(try await body()))
  } catch let error as CreditError {
    return error.summary
  }
}

/// Returns a short description of an item's result in a batch.
func summary<Outcome>(of result: Result<Outcome, CreditError>) -> String {
  switch result {
  case .failure(let error):
    return error.summary
  case .success(let outcome as ReservationOutcome):
    let decision = outcome.admission.isAdmitted ? "admitted" : "refused"
    return "\(outcome.isReplayed ? "replayed " : "")\(decision), "
      + "\(outcome.admission.remaining) remaining"
  case .success(let outcome as SettlementOutcome):
    let reservation = outcome.reservation
    return "\(outcome.isReplayed ? "replayed " : "")\(reservation.isLate ? "late " : "")"
      + "\(reservation.state.rawValue) \(reservation.committed)"
      + (reservation.overrun > 0 ? " (\(reservation.overrun) overrun)" : "")
      + ", \(outcome.usage.available) available"
  case .success(let outcome as RefundOutcome):
    return "\(outcome.isReplayed ? "replayed " : "")refunded \(outcome.entry.credits), "
      + "\(outcome.usage.available) available"
  case .success(let release as GroupRelease):
    return "\(release.isReplayed ? "replayed " : "")released \(release.credits) of "
      + "\(release.reservations), \(release.usage.available) available"
  case .success(let outcome):
    return "\(outcome)"
  }
}
