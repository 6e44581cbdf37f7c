internal import Foundation

/// The kernel's metrics of this process: CPU time, open files, memory and start time.
///
/// They are read from `/proc` at each scrape. A metric that cannot be read is left out.
///
/// Source of names and meanings:
/// <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.
public struct ProcessMetrics: Sendable {
  private static let cpuSeconds = "process_cpu_seconds_total"
  private static let openFiles = "process_open_fds"
  private static let residentMemory = "process_resident_memory_bytes"
  private static let startTime = "process_start_time_seconds"

  private let folder: String

  /// Creates the metrics of the calling process.
  ///
  /// - Parameter folder: The path of the proc file system.
  public init(folder: String = "/proc") {
    self.folder = folder
  }

  var names: [String] {
    [Self.cpuSeconds, Self.openFiles, Self.residentMemory, Self.startTime]
  }

  func read() -> [FamilySnapshot] {
    let stat = statistics()
    return [
      family(
        Self.cpuSeconds, "Total user and system CPU time spent in seconds.", .counter,
        stat?.cpuSeconds),
      family(Self.openFiles, "Number of open file descriptors.", .gauge, openFiles()),
      family(
        Self.residentMemory, "Resident memory size in bytes.", .gauge, residentMemory()),
      family(
        Self.startTime, "Start time of the process since unix epoch in seconds.", .gauge,
        stat?.startTime),
    ].compactMap { $0 }
  }

  private func family(
    _ name: String, _ help: String, _ type: FamilySnapshot.Kind, _ value: Double?
  ) -> FamilySnapshot? {
    value.map {
      FamilySnapshot(
        name: name, help: help, type: type, series: [(labels: "", values: .number($0))])
    }
  }

  /// Reads `/proc/self/stat`, as proc_pid_stat(5) describes it.
  ///
  /// The program's name, in parentheses, may contain any character, so fields are counted from the
  /// last parenthesis.
  private func statistics() -> (cpuSeconds: Double, startTime: Double?)? {
    let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
    guard ticksPerSecond > 0, let stat = text("self/stat"),
      let name = stat.lastIndex(of: ")")
    else { return nil }
    // The first field after the name is the third of the file: the process's state.
    let fields = stat[stat.index(after: name)...].split(separator: " ").map { Double($0) }
    guard fields.count > 19, let user = fields[11], let system = fields[12],
      let started = fields[19]
    else { return nil }
    let boot = value("stat", "btime ")
    return ((user + system) / ticksPerSecond, boot.map { $0 + started / ticksPerSecond })
  }

  private func residentMemory() -> Double? {
    value("self/status", "VmRSS:").map { $0 * 1024 }
  }

  /// Returns the number of open descriptors, without the one that lists them.
  private func openFiles() -> Double? {
    (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/self/fd"))
      .map { Double($0.count - 1) }
  }

  /// Returns the first number in the line that starts with a key.
  private func value(_ file: String, _ key: String) -> Double? {
    let line = text(file)?.split(separator: "\n").first { $0.hasPrefix(key) }
    return line?.dropFirst(key.count).split { $0 == " " || $0 == "\t" }.first.flatMap { Double($0) }
  }

  private func text(_ file: String) -> String? {
    FileManager.default.contents(atPath: "\(folder)/\(file)").map {
      String(decoding: $0, as: UTF8.self)
    }
  }
}
