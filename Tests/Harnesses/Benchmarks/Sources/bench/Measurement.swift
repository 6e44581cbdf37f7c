/// A measured value and its target.
struct Measurement: Encodable {
  enum Bound: String, Encodable {
    case atLeast = "≥"
    case atMost = "≤"
  }

  /// The name with the unit, such as "× the calls".
  let name: String
  let value: Double
  let bound: Bound
  let target: Double

  var isReached: Bool {
    switch bound {
    case .atLeast: value >= target
    case .atMost: value <= target
    }
  }

  init(_ name: String, _ value: Double, _ bound: Bound, _ target: Double) {
    self.name = name
    self.value = value
    self.bound = bound
    self.target = target
  }

  enum CodingKeys: CodingKey {
    case name, value, bound, target, isReached
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(value, forKey: .value)
    try container.encode(bound, forKey: .bound)
    try container.encode(target, forKey: .target)
    try container.encode(isReached, forKey: .isReached)
  }
}

/// A row of the table: the work, the side that it is compared with, and the results.
struct Row: Encodable {
  let work: String
  let at: String
  let against: String
  var measurements: [Measurement] = []
  /// The absolute values behind the ratios, for people.
  var details: [String] = []
}
