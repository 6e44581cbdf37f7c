/// A run of idle connections, which measures the server's memory for each.
struct IdleRun {
  struct Outcome {
    var before: ServerProcess.Memory
    var after: ServerProcess.Memory
    /// The time for which the connections were idle.
    var seconds: Double
  }

  private let plan: Plan
  private let epoll: Epoll
  private let server: ServerProcess

  init(_ plan: Plan) throws(LoadError) {
    guard let processID = plan.serverProcessID else { throw LoadError("--server-pid is missing") }
    self.plan = plan
    epoll = try Epoll()
    server = ServerProcess(processID: processID)
  }

  /// Opens the connections, keeps them, and reads the memory before the first and with all of them.
  func run() throws(LoadError) -> Outcome {
    let before = try server.memory()
    for index in 0..<plan.connections {
      let socket = try UnixSocket(path: plan.socket, deadline: plan.deadline)
      try epoll.add(socket, token: UInt32(index))
      try check(socket)
    }
    let start = Clock.now()
    let end = start + plan.measured
    while Clock.now() < end {
      guard try epoll.wait(until: end, now: Clock.now()) == 0 else {
        throw LoadError("the server closed an idle connection, or sent bytes on it")
      }
    }
    let seconds = Double(Clock.now() - start) / 1e9
    return Outcome(before: before, after: try server.memory(), seconds: seconds)
  }

  /// Makes a health check on a new connection, while all others are idle.
  private func check(_ socket: UnixSocket) throws(LoadError) {
    let template = RequestTemplate(ttrpc: .health)
    var connection = Connection(
      socket, .ttrpc, inFlight: 1, longestRequest: template.length)
    var call = Call()
    try connection.calls.open(&call)
    unsafe template.write(to: connection.unsent.append(template.length), call)
    guard try connection.unsent.flush(to: socket) else {
      throw LoadError("a new connection does not take a request")
    }
    while Clock.now() < plan.deadline {
      _ = try epoll.wait(until: plan.deadline, now: Clock.now())
      guard try connection.received.fill(from: socket) else { continue }
      guard let frame = try connection.received.next() else { continue }
      guard let answer = unsafe Answer(frame.body), answer.code == 0 else {
        throw LoadError("a health check failed")
      }
      return
    }
    throw LoadError("a health check had no response in time")
  }
}

extension Report {
  init(_ plan: Plan, idle: IdleRun.Outcome) {
    json = [
      "work": .string(plan.work.rawValue),
      "connections": .integer(plan.connections),
      "seconds": .number(idle.seconds),
      "rss_before_kib": .integer(idle.before.resident),
      "rss_after_kib": .integer(idle.after.resident),
      "server_rss_kib": .integer(idle.after.resident),
      "server_peak_rss_kib": .integer(idle.after.peak),
    ]
    let each = Double(idle.after.resident - idle.before.resident) / Double(plan.connections)
    line = """
      idle \(plan.connections): \(idle.before.resident) KiB before, \
      \(idle.after.resident) KiB with them, \(JSON.number(each).text) KiB each
      """
  }
}
