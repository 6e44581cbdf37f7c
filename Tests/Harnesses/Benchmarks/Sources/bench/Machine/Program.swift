internal import Foundation

/// A program that runs beside this one and ends with it.
final class Program {
  private let process = Process()
  private let output = Pipe()
  /// The time that the program took until it was ready.
  let startTime: Duration

  /// Starts a server, and waits for the line that reports that it is ready.
  init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardOutput = output
    let log = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID()).log")
    try Data().write(to: log)
    process.standardError = try FileHandle(forWritingTo: log)
    let start = ContinuousClock.now
    try process.run()
    var line: [UInt8] = []
    while line.last != UInt8(ascii: "\n") {
      guard let byte = try output.fileHandleForReading.read(upToCount: 1)?.first else {
        let errors = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        throw BenchError("\(path) did not start: \(errors.suffix(400))")
      }
      line.append(byte)
    }
    startTime = ContinuousClock.now - start
    try? FileManager.default.removeItem(at: log)
  }

  deinit { stop() }

  var processID: Int32 { process.processIdentifier }

  /// The resident memory in KiB.
  var residentKibibytes: Int {
    let status = (try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  }

  func stop() {
    guard process.isRunning else { return }
    process.terminate()
    process.waitUntilExit()
  }
}

/// Runs a program to its end, and returns its standard output.
func output(of path: String, _ arguments: [String]) throws -> Data {
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(fileURLWithPath: path)
  process.arguments = arguments
  process.standardOutput = pipe
  try process.run()
  let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw BenchError("\(path) \(arguments.joined(separator: " ")) failed")
  }
  return data
}

struct BenchError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
