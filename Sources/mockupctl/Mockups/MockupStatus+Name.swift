internal import MockupClient

extension MockupStatus {
  /// The name in the output.
  var name: String {
    switch self {
    case .unspecified: "deleted"
    case .pending: "pending"
    case .generating: "generating"
    case .completed: "completed"
    case .failed: "failed"
    case .approved: "approved"
    case .rejected: "rejected"
    case .unrecognized(let number): "\(number)"
    }
  }
}
