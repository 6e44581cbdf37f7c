// The requests.
extension CallLoop {
  /// Sends the calls that are due on all connections.
  ///
  /// - Returns: The time at which the next calls are sent; `.max` without a schedule.
  mutating func sendAll(_ now: UInt64) throws(LoadError) -> UInt64 {
    var next = UInt64.max
    for index in indices { next = min(next, try send(index, now)) }
    guard schedule != nil else { return .max }
    // A connection that is full may have capacity at the next tick.
    return next == .max ? now &+ Schedule.tick : max(next, now &+ Schedule.tick)
  }

  /// Sends the calls that are due on a connection.
  ///
  /// - Returns: The time at which the schedule has the next call; `.max` without a schedule.
  @inline(__always)
  mutating func send(_ index: Int, _ now: UInt64) throws(LoadError) -> UInt64 {
    var next = UInt64.max
    if window.phase == .warmingUp || window.phase == .measuring {
      if let schedule {
        while canStart(index) {
          let number = unsafe connections[index].started
          next = schedule.due(connection: index, number: number)
          guard next <= now else { break }
          try start(index, at: next)
          next = .max
        }
      } else {
        while canStart(index) { try start(index, at: now) }
      }
    }
    try flush(index)
    return next
  }

  /// Returns whether a connection may have one more call in flight.
  @inline(__always)
  private func canStart(_ index: Int) -> Bool {
    unsafe connections[index].calls.count < inFlight
      && connections[index].flow.sendWindow >= request.dataLength
  }

  @inline(__always)
  private mutating func start(_ index: Int, at time: UInt64) throws(LoadError) {
    var call = Call(user: firstUser &+ numbers.next(below: users), started: time)
    if mayDecline { call.reservation = RandomUUID(using: &numbers) }
    let isFirst = unsafe connections[index].started == 0
    unsafe connections[index].started &+= 1
    unsafe connections[index].flow.sendWindow &-= request.dataLength
    try append(&call, isFirst ? firstRequest : request, to: index)
  }

  @inline(__always)
  func append(
    _ call: inout Call, _ template: RequestTemplate, to index: Int
  ) throws(LoadError) {
    try unsafe connections[index].calls.open(&call)
    unsafe template.write(to: connections[index].unsent.append(template.length), call)
  }
}
