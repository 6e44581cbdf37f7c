internal import Foundation

/// A reader of samples from the lines of `perf script`.
struct SampleReader {
  private var thread: String?
  private var frames: [String] = []

  /// Reads a line, and returns the sample that it completes, if any.
  ///
  /// A sample begins with the thread and ends with the innermost frame.
  mutating func read(_ line: String) -> [String]? {
    guard !line.isEmpty else { return end() }
    guard let first = line.first, first == " " || first == "\t" else {
      // "postgres 1234:" and further fields
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

  /// Returns the role of a thread by its name.
  private static func role(of thread: String) -> String {
    if thread.hasPrefix("NIO-ELT") { return "mockupd: event loop" }
    if thread.hasPrefix("postgres") { return "PostgreSQL" }
    if thread.hasPrefix("load") { return "load generator" }
    if thread.hasPrefix("swapper") { return "idle" }
    return thread.hasPrefix("kworker") ? "kernel" : "mockupd: database connections"
  }

  /// Returns a function's name without its offset and the marks of its specializations.
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
