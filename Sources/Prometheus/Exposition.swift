/// A metric family: a metric with the values of all its series.
struct FamilySnapshot {
  enum Kind: String {
    case counter
    case gauge
    case histogram
  }

  enum Values {
    case integer(UInt64)
    case number(Double)
    /// The counts by bucket, not cumulative; the last count is for values above all boundaries.
    case histogram(boundaries: [Double], counts: [UInt64], sum: Double)
  }

  let name: String
  let help: String?
  let type: Kind
  /// The series, sorted by their labels, which have the text format without its braces.
  let series: [(labels: String, values: Values)]
}

/// A writer of Prometheus' text format, version 0.0.4.
///
/// Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
struct Exposition {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ family: FamilySnapshot) {
    if let help = family.help {
      line("# HELP \(family.name) \(escaped(help))")
    }
    line("# TYPE \(family.name) \(family.type.rawValue)")
    for (labels, values) in family.series {
      switch values {
      case .integer(let number): sample(family.name, labels, String(number))
      case .number(let number): sample(family.name, labels, Self.text(number))
      case .histogram(let boundaries, let counts, let sum):
        let bounds = boundaries.map(Self.text) + ["+Inf"]
        var total: UInt64 = 0
        for (bound, count) in zip(bounds, counts) {
          total &+= count
          let separator = labels.isEmpty ? "" : ","
          sample(family.name + "_bucket", #"\#(labels)\#(separator)le="\#(bound)""#, String(total))
        }
        sample(family.name + "_sum", labels, Self.text(sum))
        sample(family.name + "_count", labels, String(total))
      }
    }
  }

  private mutating func sample(_ name: String, _ labels: String, _ value: String) {
    line(labels.isEmpty ? "\(name) \(value)" : "\(name){\(labels)} \(value)")
  }

  private mutating func line(_ text: String) {
    bytes.append(contentsOf: text.utf8)
    bytes.append(UInt8(ascii: "\n"))
  }

  private func escaped(_ help: String) -> String {
    help.unicodeScalars.map {
      switch $0 {
      case "\\": #"\\"#
      case "\n": #"\n"#
      default: String($0)
      }
    }.joined()
  }

  /// Formats a number for Prometheus; a whole number has no fraction.
  static func text(_ number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
    if number.magnitude < 1e15, let whole = Int64(exactly: number) { return String(whole) }
    return String(number)
  }
}
