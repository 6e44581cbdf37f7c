import CoreMetrics
import Foundation
import Prometheus
import Testing

@Suite struct ProcessMetricsTests {
  @Test func `the metrics of this process are plausible`() throws {
    let started = Date().timeIntervalSince1970
    let parsed = try ExpositionParser(PrometheusRegistry().text())
    #expect(try #require(parsed.value("process_resident_memory_bytes")) > 1_048_576)
    #expect(try #require(parsed.value("process_cpu_seconds_total")) >= 0)
    let start = try #require(parsed.value("process_start_time_seconds"))
    #expect(start > started - 86_400 * 7 && start <= started + 1)
  }

  @Test func `open files are counted when the text is made`() throws {
    let proc = try FakeProc()
    defer { proc.remove() }
    let registry = PrometheusRegistry(process: ProcessMetrics(folder: proc.folder))
    #expect(try ExpositionParser(registry.text()).value("process_open_fds") == 2)
    try proc.write("self/fd/9", "")
    #expect(try ExpositionParser(registry.text()).value("process_open_fds") == 3)
  }

  @Test func `the files of procfs are parsed as documented`() throws {
    let proc = try FakeProc()
    defer { proc.remove() }
    let registry = PrometheusRegistry(process: ProcessMetrics(folder: proc.folder))
    let parsed = try ExpositionParser(registry.text())
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    #expect(parsed.value("process_cpu_seconds_total") == 300 / ticks)
    #expect(parsed.value("process_start_time_seconds") == 1_700_000_000 + 500 / ticks)
    #expect(parsed.value("process_resident_memory_bytes") == 12_641_280)
  }

  @Test(arguments: ["", "1 (x", "1 (x) R 1", "1 (x) R a b c d e f g h i j k l m n o p q r s t u v"])
  func `metrics that cannot be read are omitted`(_ stat: String) throws {
    let proc = try FakeProc()
    defer { proc.remove() }
    try proc.write("self/stat", stat)
    try proc.write("self/status", "VmRSS:\tmuch kB")
    let registry = PrometheusRegistry(process: ProcessMetrics(folder: proc.folder))
    let names = try ExpositionParser(registry.text()).families.map(\.name)
    #expect(names == ["metrics_series_dropped_total", "process_open_fds"])
  }

  @Test func `the names of the process metrics are reserved`() throws {
    let registry = PrometheusRegistry()
    Gauge(label: "process_open_fds", factory: registry).record(-1)
    #expect(try #require(ExpositionParser(registry.text()).value("process_open_fds")) > 0)
  }
}

/// A folder like `/proc`, with a process name that is hard to parse.
private struct FakeProc {
  let folder = NSTemporaryDirectory() + "/mockupd-proc-\(UUID().uuidString)"

  init() throws {
    try FileManager.default.createDirectory(
      atPath: folder + "/self/fd", withIntermediateDirectories: true)
    for descriptor in 0..<3 { try write("self/fd/\(descriptor)", "") }
    try write(
      "self/stat",
      "42 (a) b) 7 8) S 1 42 42 0 -1 4194304 10 0 0 0 100 200 0 0 20 0 4 0 500 1000000 3000 1\n")
    try write("self/status", "Name:\tx\nVmHWM:\t 99999 kB\nVmRSS:\t   12345 kB\nThreads:\t4\n")
    try write("stat", "cpu  1 2 3\nintr 5\nbtime 1700000000\nprocesses 9\n")
  }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
  }

  func remove() {
    try? FileManager.default.removeItem(atPath: folder)
  }
}
