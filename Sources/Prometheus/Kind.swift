/// The kind of a metric in swift-metrics.
enum Kind {
  case counter
  case floatingPointCounter
  case gauge
  case recorder
  case timer

  var isHistogram: Bool { self == .recorder || self == .timer }

  var type: FamilySnapshot.Kind {
    switch self {
    case .counter, .floatingPointCounter: .counter
    case .gauge: .gauge
    case .recorder, .timer: .histogram
    }
  }

  var defaultBuckets: [Double] {
    switch self {
    case .counter, .floatingPointCounter, .gauge: []
    case .recorder: PrometheusRegistry.recorderBuckets
    case .timer: PrometheusRegistry.timerBuckets
    }
  }

  private var suffix: String {
    switch self {
    case .counter, .floatingPointCounter: "_total"
    case .gauge, .recorder: ""
    case .timer: "_seconds"
    }
  }

  /// Returns the metric's name for a label: sanitized, with the kind's suffix.
  func name(of label: String) -> String {
    let name = Name.metric(label)
    return name.hasSuffix(suffix) ? name : name + suffix
  }

  /// Returns a metric's name without the kind's suffix.
  func stem(of name: String) -> String {
    name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
  }

  /// Returns the names of a metric's samples, which no other metric may use.
  func sampleNames(_ name: String) -> [String] {
    isHistogram ? [name, name + "_bucket", name + "_sum", name + "_count"] : [name]
  }
}
