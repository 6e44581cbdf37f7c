internal import Glibc

/// The server's process in /proc.
struct ServerProcess {
  let processID: Int32

  struct Memory: Equatable {
    /// The resident memory in KiB.
    var resident: Int
    /// The maximum of the resident memory so far, in KiB.
    var peak: Int
  }

  /// Reads the CPU time so far, in user and kernel mode, in nanoseconds.
  func processorTime() throws(LoadError) -> UInt64 {
    let ticks = try Self.ticks(ofStat: read("stat"))
    return ticks * (1_000_000_000 / UInt64(sysconf(Int32(_SC_CLK_TCK))))
  }

  func memory() throws(LoadError) -> Memory {
    try Self.memory(ofStatus: read("status"))
  }

  /// Parses utime + stime of /proc/PID/stat.
  static func ticks(ofStat text: String) throws(LoadError) -> UInt64 {
    // The program's name comes before, in parentheses, and can contain any characters.
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else {
      throw LoadError("the server's /proc/PID/stat cannot be read")
    }
    return user + system
  }

  /// Parses VmRSS and VmHWM of /proc/PID/status.
  static func memory(ofStatus text: String) throws(LoadError) -> Memory {
    func kibibytes(_ name: String) -> Int? {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
      return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }
    guard let resident = kibibytes("VmRSS"), let peak = kibibytes("VmHWM") else {
      throw LoadError("the server's process has ended")
    }
    return Memory(resident: resident, peak: peak)
  }

  private func read(_ name: String) throws(LoadError) -> String {
    let descriptor = unsafe open("/proc/\(processID)/\(name)", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("process \(processID) of the server") }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 16384)
    let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
    guard count > 0 else { throw .system("process \(processID) of the server") }
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
