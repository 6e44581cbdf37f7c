public import CoreMetrics
internal import NIOConcurrencyHelpers

/// Keeps a program's metrics, and writes them in Prometheus' text format.
///
/// Make counters, timers and the rest once and keep them: making one takes a lock and looks it up.
/// What follows, an increment or a record, takes none. The same label with the same dimensions, in
/// any order, is the same series.
///
/// - Labels and names of dimensions are brought to Prometheus' alphabet: what it lacks becomes `_`.
/// - A counter's name ends in `_total`, a timer's in `_seconds`; what a label lacks is added.
/// - A name belongs to the kind that took it first. Asked for by another kind, it gives a handler
///   that counts nothing.
/// - So does every new series beyond the limit. Both are counted, by `reason`, in
///   `metrics_series_dropped_total`.
/// - Counters only grow: what is negative or not finite is not added. A recorder leaves out what is
///   not finite; a gauge shows it.
public final class PrometheusRegistry: MetricsFactory {
  /// What an HTTP response calls the text.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Seconds, from a tenth of a millisecond to ten: the buckets of timers.
  public static let timerBuckets: [Double] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]

  /// Powers of four up to 16 Mi, which suit counts of things and of bytes: the buckets of recorders.
  public static let recorderBuckets: [Double] = [
    1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
  ]

  private let state: NIOLockedValueBox<FamilyTable>
  private let process: ProcessMetrics?

  /// - Parameters:
  ///   - seriesLimit: how many time series there may be. A histogram is one for each of its
  ///     buckets, and two more.
  ///   - process: what to tell of the process itself.
  public init(seriesLimit: Int = 10_000, process: ProcessMetrics? = ProcessMetrics()) {
    state = NIOLockedValueBox(
      FamilyTable(seriesLimit: seriesLimit, reserved: process.map { $0.names } ?? []))
    self.process = process
  }

  /// Says what a metric is, in its HELP line.
  ///
  /// - Parameter label: as the metric is made with, or as its name is written.
  public func describe(_ label: String, _ help: String) {
    state.withLockedValue { $0.helps[Name.metric(label)] = help }
  }

  /// Chooses the upper bounds of a timer's or a recorder's buckets, a timer's in seconds.
  ///
  /// It holds for a label whose first series is not yet made. Of more than 63 the lowest count; the
  /// bucket for everything is added.
  public func setBuckets(_ boundaries: [Double], for label: String) {
    state.withLockedValue { $0.buckets[Name.metric(label)] = boundaries }
  }

  /// Everything there is, sorted, in the text format's version 0.0.4.
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

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    series(.counter, label, dimensions) { _ in CounterSeries() } ?? NOOPMetricsHandler.instance
  }

  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    series(.floatingPointCounter, label, dimensions) { _ in FloatingPointCounterSeries() }
      ?? NOOPMetricsHandler.instance
  }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    series(.gauge, label, dimensions) { _ in GaugeSeries() } ?? NOOPMetricsHandler.instance
  }

  /// A histogram, or, where only the last value counts, a gauge.
  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    guard aggregate else {
      return series(.gauge, label, dimensions) { _ in GaugeSeries() } ?? NOOPMetricsHandler.instance
    }
    return series(.recorder, label, dimensions) { RecorderSeries(boundaries: $0) }
      ?? NOOPMetricsHandler.instance
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    series(.timer, label, dimensions) { TimerSeries(boundaries: $0) }
      ?? NOOPMetricsHandler.instance
  }

  public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
    remove(handler)
  }
  public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
  public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
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
