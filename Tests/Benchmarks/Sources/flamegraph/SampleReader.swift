internal import Foundation

/// Puts the lines of `perf script` together to samples.
struct SampleReader {
  private var thread: String?
  private var frames: [String] = []

  /// Takes a line; the sample that it ends, if it ends one: the thread first, the innermost frame last.
  mutating func read(_ line: String) -> [String]? {
    guard !line.isEmpty else { return end() }
    guard let first = line.first, first == " " || first == "\t" else {
      // "postgres 1234:" and whatever else was asked for
      let name = line.split(separator: " ").prefix { Int($0.prefix { $0.isNumber }) == nil }
      thread = Self.role(of: name.joined(separator: " "))
      return nil
    }
    // "    7f12ab function+0x12"
    let parts = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
    guard parts.count == 2 else { return nil }
    frames.append(Self.name(String(parts[1])))
    return nil
  }

  mutating func end() -> [String]? {
    defer { (thread, frames) = (nil, []) }
    guard let thread, !frames.isEmpty else { return nil }
    return [thread] + frames.reversed()
  }

  /// What a thread of that name does.
  private static func role(of thread: String) -> String {
    if thread.hasPrefix("NIO-ELT") { return "mockupd: event loop" }
    if thread.hasPrefix("postgres") { return "PostgreSQL" }
    if thread.hasPrefix("load") { return "generator of load" }
    if thread.hasPrefix("swapper") { return "idle" }
    return thread.hasPrefix("kworker") ? "kernel" : "mockupd: database connections"
  }

  /// A function's name without what tells one instance of it from another.
  private static func name(_ text: String) -> String {
    var name = text
    for prefix in ["specialized ", "partial apply for ", "protocol witness for ", "merged "] {
      while name.hasPrefix(prefix) { name.removeFirst(prefix.count) }
    }
    if let plus = name.range(of: "+0x", options: .backwards) {
      name = String(name[..<plus.lowerBound])
    }
    return name
  }
}
