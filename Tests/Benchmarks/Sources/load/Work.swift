internal import ArgumentParser

/// What the server is made to do.
enum Work: String, CaseIterable, ExpressibleByArgument {
  case health, reserve, pair, usage, idle, performance

  /// How many users there are where nobody says.
  var users: Int { self == .usage ? 1 : 1000 }

  /// What its calls are, where it is made of calls.
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

/// Unary calls, each like the others but for its ids.
struct CallWork {
  var request: RequestTemplate
  /// What is sent in the same place when the first answer is a yes.
  var commit: RequestTemplate?
  /// The first answer says `success`, or not; and the request has a reservation's id.
  var mayDecline = false
}
