/// What a label was asked for as.
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

  /// The name of the metric that a label stands for.
  func name(of label: String) -> String {
    let name = Name.metric(label)
    return name.hasSuffix(suffix) ? name : name + suffix
  }

  /// A name without what its kind added to it.
  func stem(of name: String) -> String {
    name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
  }

  /// The names that stand before values: no two metrics may share one.
  func sampleNames(_ name: String) -> [String] {
    isHistogram ? [name, name + "_bucket", name + "_sum", name + "_count"] : [name]
  }
}
