internal import MockupClient

extension Operation {
  /// The name in the output.
  var name: String {
    switch self {
    case .unspecified: "unspecified"
    case .generation: "generation"
    case .regeneration: "regeneration"
    case .refund: "refund"
    case .unrecognized(let number): "\(number)"
    }
  }
}
