internal import MockupClient

extension ReservationState {
  /// The state's name in the output of commands.
  var name: String {
    switch self {
    case .unspecified: "unspecified"
    case .held: "held"
    case .committed: "committed"
    case .released: "released"
    case .expired: "expired"
    case .refused: "refused"
    case .dispatched: "dispatched"
    case .unresolved: "unresolved"
    case .unrecognized(let number): "\(number)"
    }
  }
}
