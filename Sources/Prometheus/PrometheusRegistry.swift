public import CoreMetrics
internal import NIOConcurrencyHelpers

/// A registry that collects a program's metrics and writes them in Prometheus' text format.
///
/// It is a backend for swift-metrics. Create counters, timers and other metrics once and keep them:
/// creating one takes a lock and a lookup, while an increment or a record takes no lock. The same
/// label with the same dimensions, in any order, is the same series.
///
/// - Characters that Prometheus does not allow in labels and dimension names are replaced by `_`.
/// - The suffix `_total` is added to counters and `_seconds` to timers, unless the label has it.
/// - The first kind of metric that uses a name owns it. A request for the name by another kind
///   returns a handler that records nothing.
/// - A request for a new series above the limit also returns a handler that records nothing. Both
///   cases are counted in `metrics_series_dropped_total`, by `reason`.
/// - Counters ignore values that are negative or not finite. Recorders ignore values that are not
///   finite. Gauges accept every value.
public final class PrometheusRegistry: MetricsFactory {
  /// The content type of the text in an HTTP response.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// The default bucket boundaries of timers, in seconds: from 100 microseconds to 10 seconds.
  public static let timerBuckets: [Double] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]

  /// The default bucket boundaries of recorders: powers of four up to 16 Mi.
  ///
  /// They suit both numbers of items and sizes in bytes.
  public static let recorderBuckets: [Double] = [
    1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
  ]

  private let state: NIOLockedValueBox<FamilyTable>
  private let process: ProcessMetrics?

  /// Creates an empty registry.
  ///
  /// - Parameters:
  ///   - seriesLimit: The maximum number of time series. A histogram counts as one for each bucket
  ///     (the one without a bound included), one for the sum and one for the count.
  ///   - process: The metrics of the process to include, or nil for none. They do not count towards
  ///     the limit.
  public init(seriesLimit: Int = 10_000, process: ProcessMetrics? = ProcessMetrics()) {
    state = NIOLockedValueBox(
      FamilyTable(seriesLimit: seriesLimit, reserved: process.map { $0.names } ?? []))
    self.process = process
  }

  /// Sets a metric's description, which is written as its HELP line.
  ///
  /// - Parameters:
  ///   - label: The label with which the metric is created, or its name in the text.
  ///   - help: The description.
  public func describe(_ label: String, _ help: String) {
    state.withLockedValue { $0.helps[Name.metric(label)] = help }
  }

  /// Sets the bucket boundaries of a timer or a recorder.
  ///
  /// Call this before the first series with the label is created; later calls have no effect on the
  /// metric.
  ///
  /// - Parameters:
  ///   - boundaries: The upper bounds, a timer's in seconds. Of more than 63, the lowest 63 are
  ///     used. A bucket without a bound is added.
  ///   - label: The label with which the metric is created, or its name in the text.
  public func setBuckets(_ boundaries: [Double], for label: String) {
    state.withLockedValue { $0.buckets[Name.metric(label)] = boundaries }
  }

  /// Returns all metrics in the text format, version 0.0.4, sorted by name.
  public func text() -> [UInt8] {
    var families = state.withLockedValue { $0.snapshots }
    families += process?.read() ?? []
    var exposition = Exposition()
    for family in families.sorted(by: { $0.name < $1.name }) {
      exposition.append(family)
    }
    return exposition.bytes
  }

  // MARK: - MetricsFactory

  /// Returns the counter with a label and dimensions, or creates it.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    series(.counter, label, dimensions) { _ in CounterSeries() } ?? NOOPMetricsHandler.instance
  }

  /// Returns the floating-point counter with a label and dimensions, or creates it.
  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    series(.floatingPointCounter, label, dimensions) { _ in FloatingPointCounterSeries() }
      ?? NOOPMetricsHandler.instance
  }

  /// Returns the meter, a gauge, with a label and dimensions, or creates it.
  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    series(.gauge, label, dimensions) { _ in GaugeSeries() } ?? NOOPMetricsHandler.instance
  }

  /// Returns the recorder with a label and dimensions, or creates it.
  ///
  /// - Parameter aggregate: True for a histogram of all values, false for a gauge of the last
  ///   value.
  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    guard aggregate else {
      return series(.gauge, label, dimensions) { _ in GaugeSeries() } ?? NOOPMetricsHandler.instance
    }
    return series(.recorder, label, dimensions) { RecorderSeries(boundaries: $0) }
      ?? NOOPMetricsHandler.instance
  }

  /// Returns the timer, a histogram in seconds, with a label and dimensions, or creates it.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    series(.timer, label, dimensions) { TimerSeries(boundaries: $0) }
      ?? NOOPMetricsHandler.instance
  }

  /// Removes a counter's series, which no longer counts towards the limit.
  public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
  /// Removes a floating-point counter's series, which no longer counts towards the limit.
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
    remove(handler)
  }
  /// Removes a meter's series, which no longer counts towards the limit.
  public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
  /// Removes a recorder's series, which no longer count towards the limit.
  public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
  /// Removes a timer's series, which no longer count towards the limit.
  public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

  private func series<S: Series>(
    _ kind: Kind, _ label: String, _ dimensions: [(String, String)], _ make: ([Double]) -> S
  ) -> S? {
    let name = kind.name(of: label)
    let labels = Name.labels(dimensions, reserving: kind.isHistogram ? "le" : nil)
    return state.withLockedValue {
      $0.series(kind, name, label: Name.metric(label), labels: labels, make) as? S
    }
  }

  private func remove(_ handler: any AnyObject) {
    guard let series = handler as? any Series else { return }
    state.withLockedValue { $0.remove(series) }
  }
}
