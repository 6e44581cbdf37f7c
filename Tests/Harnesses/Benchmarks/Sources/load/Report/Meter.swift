/// The resources that were used in the measured window.
struct Usage {
  /// The length of the window.
  var seconds: Double
  /// The CPU time of this process, in nanoseconds.
  var client: UInt64
  /// The CPU time of the server, in nanoseconds; `nil` if its process is unknown.
  var server: UInt64?
  /// The server's memory at the end.
  var memory: ServerProcess.Memory?
}

/// A meter of the resources that are used in the measured window.
struct Meter {
  private struct Reading {
    var time: UInt64
    var client: UInt64
    var server: UInt64?
  }

  private let server: ServerProcess?
  private var first: Reading?
  private var last: Reading?

  init(processID: Int32?) {
    server = processID.map { ServerProcess(processID: $0) }
  }

  /// The time at which the window ended, on the clock `Clock.now`; 0 if it has not ended.
  var end: UInt64 { last?.time ?? 0 }

  mutating func begin(at now: UInt64) throws(LoadError) {
    first = try reading(now)
  }

  mutating func finish(at now: UInt64) throws(LoadError) {
    last = try reading(now)
  }

  func usage() throws(LoadError) -> Usage {
    guard let first, let last else { throw LoadError("nothing was measured") }
    var server: UInt64?
    if let before = first.server, let after = last.server { server = after - before }
    return Usage(
      seconds: Double(last.time - first.time) / 1e9, client: last.client - first.client,
      server: server, memory: try memory())
  }

  private func memory() throws(LoadError) -> ServerProcess.Memory? {
    guard let server else { return nil }
    return try server.memory()
  }

  private func reading(_ now: UInt64) throws(LoadError) -> Reading {
    var used: UInt64?
    if let server { used = try server.processorTime() }
    return Reading(time: now, client: Clock.processorTime(), server: used)
  }
}
