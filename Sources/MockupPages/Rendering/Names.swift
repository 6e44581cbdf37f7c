internal import MockupClient

// The names of states as the pages show them.

extension ReservationState {
  var text: String {
    switch self {
    case .held: "held"
    case .committed: "committed"
    case .released: "released"
    case .expired: "expired"
    case .refused: "refused"
    case .dispatched: "dispatched"
    case .unresolved: "unresolved"
    case .unspecified: "unknown"
    case .unrecognized(let number): "\(number)"
    }
  }
}

extension Operation {
  var text: String {
    switch self {
    case .generation: "generation"
    case .regeneration: "regeneration"
    case .refund: "refund"
    case .unspecified: "unknown"
    case .unrecognized(let number): "\(number)"
    }
  }
}

extension MockupStatus {
  var text: String {
    switch self {
    case .pending: "pending"
    case .generating: "generating"
    case .completed: "completed"
    case .failed: "failed"
    case .approved: "approved"
    case .rejected: "rejected"
    case .unspecified: "unknown"
    case .unrecognized(let number): "\(number)"
    }
  }
}
