/// All series, by metric name and labels.
struct FamilyTable {
  private struct Family {
    let kind: Kind
    let buckets: [Double]
    var series: [String: any Series] = [:]
  }

  /// The name of the metric that counts the refused series.
  private static let dropped = "metrics_series_dropped_total"

  /// The help texts, by sanitized label or by metric name.
  var helps: [String: String] = [
    dropped:
      "Requests for a time series that were refused: the limit was reached, or the name belonged "
      + "to another kind of metric."
  ]
  /// The bucket boundaries, by sanitized label or by metric name.
  var buckets: [String: [Double]] = [:]

  private let seriesLimit: Int
  private var seriesCount = 0
  private var families: [String: Family] = [:]
  private var sampleNames: Set<String>
  private var droppedByLimit = 0
  private var droppedByKind = 0

  init(seriesLimit: Int, reserved: [String]) {
    self.seriesLimit = seriesLimit
    sampleNames = Set(reserved + [Self.dropped])
  }

  /// Returns the existing series with a name and labels, or creates it.
  ///
  /// - Parameters:
  ///   - name: The metric's name, with its suffix.
  ///   - label: The sanitized label, without the suffix.
  ///   - labels: The labels in the text format, without its braces.
  ///   - make: Creates the series with its bucket boundaries.
  /// - Returns: The series, or nil if the name belongs to another kind or the limit is reached.
  mutating func series(
    _ kind: Kind, _ name: String, label: String, labels: String, _ make: ([Double]) -> any Series
  ) -> (any Series)? {
    if let family = families[name] {
      guard family.kind == kind else {
        droppedByKind += 1
        return nil
      }
      if let series = family.series[labels] { return series }
    } else if !sampleNames.isDisjoint(with: kind.sampleNames(name)) {
      droppedByKind += 1
      return nil
    }
    let boundaries =
      families[name]?.buckets
      ?? Boundaries.usable(buckets[label] ?? buckets[name] ?? kind.defaultBuckets)
    let cost = kind.isHistogram ? boundaries.count + 3 : 1
    guard seriesCount + cost <= seriesLimit else {
      droppedByLimit += 1
      return nil
    }
    seriesCount += cost
    sampleNames.formUnion(kind.sampleNames(name))
    let series = make(boundaries)
    families[name, default: Family(kind: kind, buckets: boundaries)].series[labels] = series
    return series
  }

  mutating func remove(_ series: any Series) {
    for (name, family) in families {
      guard let labels = family.series.first(where: { $0.value === series })?.key else { continue }
      seriesCount -= family.kind.isHistogram ? family.buckets.count + 3 : 1
      families[name]?.series[labels] = nil
      if families[name]?.series.isEmpty == true {
        families[name] = nil
        sampleNames.subtract(family.kind.sampleNames(name))
      }
      return
    }
  }

  /// The families with their current values, unsorted.
  var snapshots: [FamilySnapshot] {
    let dropped = FamilySnapshot(
      name: Self.dropped, help: helps[Self.dropped], type: .counter,
      series: [
        (labels: #"reason="kind""#, values: .number(Double(droppedByKind))),
        (labels: #"reason="limit""#, values: .number(Double(droppedByLimit))),
      ])
    return families.map { name, family in
      FamilySnapshot(
        name: name, help: helps[name] ?? helps[family.kind.stem(of: name)],
        type: family.kind.type,
        series: family.series.sorted { $0.key < $1.key }.map {
          (labels: $0.key, values: $0.value.values)
        })
    } + [dropped]
  }
}
