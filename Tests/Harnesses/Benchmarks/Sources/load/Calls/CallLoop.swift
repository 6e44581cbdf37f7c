/// The loop of the only thread, which sends calls and receives responses on all connections.
///
/// It neither allocates memory nor counts references while it runs, and waits only in `Epoll`.
@safe
struct CallLoop: ~Copyable {
  let epoll: Epoll
  let connections: UnsafeMutableBufferPointer<Connection>
  let inFlight: Int
  let users: UInt32
  let firstUser: UInt32
  let wireProtocol: WireProtocol
  /// The first request of each connection.
  let firstRequest: RequestTemplate
  let request: RequestTemplate
  let commit: RequestTemplate?
  /// True if the first field of the response says whether the call succeeded.
  let mayDecline: Bool
  let schedule: Schedule?

  var numbers: RandomNumbers
  var window: Window
  var meter: Meter
  var tally: Tally

  /// Opens the connections and starts the clock of the run; `run` must be called at once.
  init(_ plan: Plan, _ work: CallWork) throws(LoadError) {
    let epoll = try Epoll()
    let (first, next, commit) = Self.templates(plan.wireProtocol, work)
    let longest = max(first.length, next.length, commit?.length ?? 0)
    let connections = UnsafeMutableBufferPointer<Connection>.allocate(capacity: plan.connections)
    for index in 0..<plan.connections {
      let socket = try UnixSocket(path: plan.socket, deadline: plan.deadline)
      try epoll.add(socket, token: UInt32(index))
      unsafe connections.initializeElement(
        at: index,
        to: Connection(
          socket, plan.wireProtocol, inFlight: plan.inFlight, longestRequest: longest))
    }
    self.epoll = epoll
    unsafe self.connections = unsafe connections
    inFlight = plan.inFlight
    users = UInt32(plan.users)
    firstUser = UInt32(plan.firstUser)
    wireProtocol = plan.wireProtocol
    firstRequest = first
    request = next
    self.commit = commit
    mayDecline = work.mayDecline
    numbers = RandomNumbers(seed: plan.seed)
    meter = Meter(processID: plan.serverProcessID)
    tally = Tally()
    let start = Clock.now()
    window = Window(start: start, warmup: plan.warmup, measured: plan.measured)
    schedule = plan.rate.map { rate in
      Schedule(start: start, rate: rate, connections: plan.connections)
    }
  }

  private static func templates(
    _ wireProtocol: WireProtocol, _ work: CallWork
  ) -> (first: RequestTemplate, next: RequestTemplate, commit: RequestTemplate?) {
    switch wireProtocol {
    case .ttrpc:
      let request = RequestTemplate(ttrpc: work.request)
      return (request, request, work.commit.map { RequestTemplate(ttrpc: $0) })
    case .grpc:
      return (
        RequestTemplate(grpc: work.request, isFirst: true),
        RequestTemplate(grpc: work.request, isFirst: false), nil
      )
    }
  }

  /// Runs until the end of the drain.
  ///
  /// - Returns: The CPU time and memory that the measured window took.
  mutating func run() throws(LoadError) -> Usage {
    var wakeUp = try sendAll(Clock.now())
    while window.phase != .over {
      let count = try epoll.wait(until: min(wakeUp, window.phaseEnd), now: Clock.now())
      try advance(to: Clock.now())
      for index in 0..<count {
        let event = epoll.event(index)
        if event.isReadable { try receive(event.token) }
        if event.isWritable { try flush(event.token) }
      }
      if schedule != nil, Clock.now() >= wakeUp { wakeUp = try sendAll(Clock.now()) }
      if window.phase == .draining, waiting == 0 { window.drained() }
    }
    return try meter.usage()
  }

  /// The number of calls that wait for a response.
  var waiting: Int {
    var count = 0
    for index in indices { unsafe count += connections[index].calls.count }
    return count
  }

  /// The number of calls that were due when the window ended and were not sent.
  var overdue: Int {
    guard let schedule else { return 0 }
    var count = 0
    for index in indices {
      let due = schedule.dueCount(connection: index, at: meter.end)
      unsafe count += max(0, due - connections[index].started)
    }
    return count
  }

  var indices: Range<Int> { unsafe connections.indices }

  private mutating func advance(to now: UInt64) throws(LoadError) {
    // A phase may have no duration, so that several end at the same time.
    while window.phase != .over, window.advance(to: now) {
      switch window.phase {
      case .measuring: try meter.begin(at: now)
      case .draining: try meter.finish(at: now)
      case .warmingUp, .over: break
      }
    }
  }

  func flush(_ index: Int) throws(LoadError) {
    try unsafe connections[index].flush(epoll, token: UInt32(truncatingIfNeeded: index))
  }
}
