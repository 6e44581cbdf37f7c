internal import Foundation

extension PostgresServer {
  /// The CPU time of its processes so far, in seconds, including those that have ended.
  func cpuSeconds() throws -> Double {
    let file = try String(contentsOfFile: "\(socket)/data/postmaster.pid", encoding: .utf8)
    guard let postmaster = file.split(separator: "\n").first.flatMap({ Int32($0) }),
      let own = ProcessTimes(of: postmaster)
    else { throw BenchError("\(socket) has no running PostgreSQL") }
    let children = try FileManager.default.contentsOfDirectory(atPath: "/proc")
      .compactMap { Int32($0) }.compactMap { ProcessTimes(of: $0) }
      .filter { $0.parent == postmaster }
    let ticks = children.reduce(own.own + own.endedChildren) { $0 + $1.own }
    return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}

/// The CPU times of a process in ticks of the clock, from `/proc/PID/stat`.
private struct ProcessTimes {
  let parent: Int32
  /// The time of its own.
  let own: Int
  /// The time of its children that have ended.
  let endedChildren: Int

  /// Reads the times; nil if the process has ended.
  init?(of process: Int32) {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      // The program's name comes before, in parentheses, and can contain any characters.
      let fields = text.split(separator: ")").last?.split(separator: " "), fields.count > 14,
      let parent = Int32(fields[1])
    else { return nil }
    let times = fields[11...14].compactMap { Int($0) }
    guard times.count == 4 else { return nil }
    self.parent = parent
    own = times[0] + times[1]
    endedChildren = times[2] + times[3]
  }
}
