internal import ArgumentParser

/// A kind of load.
enum Work: String, CaseIterable, ExpressibleByArgument {
  case health, reserve, pair, usage, idle, performance

  /// The default number of users.
  var users: Int { self == .usage ? 1 : 1000 }

  /// The unary calls; `nil` for other kinds of load.
  var calls: CallWork? {
    switch self {
    case .health: CallWork(request: .health)
    case .usage: CallWork(request: .getCreditUsage)
    case .reserve: CallWork(request: .reserveCredits, mayDecline: true)
    case .pair:
      CallWork(request: .reserveCredits, commit: .commitReservation, mayDecline: true)
    case .idle, .performance: nil
    }
  }
}

/// Unary calls that differ only in their ids.
struct CallWork {
  var request: Request
  /// The second request of a call, which is sent when the first has succeeded.
  var commit: Request?
  /// True if the first response has `success`, and its request the id of a reservation.
  var mayDecline = false
}
