internal import Foundation

/// The table of the results for people.
struct Table {
  let rows: [Row]

  var lines: [String] {
    rows.flatMap { row -> [String] in
      let title =
        "\(row.work) · \(row.at)" + (row.against.isEmpty ? "" : " · against \(row.against)")
      let measured = row.measurements.map { measurement in
        "  \(measurement.isReached ? "✓" : "✗") \(measurement.value.short) \(measurement.name)"
          + " (target \(measurement.bound.rawValue) \(measurement.target.short))"
      }
      return [title] + measured + row.details.map { "    \($0)" }
    }
  }
}

extension Double {
  /// The number with three significant digits, or as an integer from 100 on.
  var short: String {
    guard isFinite else { return "–" }
    let magnitude = abs(self)
    if magnitude >= 100 { return String(Int(rounded())) }
    if magnitude >= 10 { return String(format: "%.1f", self) }
    return String(format: magnitude >= 1 ? "%.2f" : "%.3f", self)
  }
}

extension [Double] {
  /// The median.
  var median: Double {
    let sorted = sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
      ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}
