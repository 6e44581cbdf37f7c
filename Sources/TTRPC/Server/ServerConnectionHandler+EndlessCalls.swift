/// The endless calls of a connection that have not ended.
struct EndlessCalls {
  private(set) var count = 0
  /// The calls by method, the oldest first.
  private var byMethod: [MethodDescriptor: [ServerCall]] = [:]

  /// The oldest call of the method that has the most calls, so that a method with many calls does
  /// not displace those of others.
  var oldestOfMostFrequent: ServerCall? {
    byMethod.values.max { $0.count < $1.count }?.first
  }

  mutating func append(_ call: ServerCall) {
    byMethod[call.method, default: []].append(call)
    count += 1
  }

  mutating func remove(_ call: ServerCall) {
    guard let index = byMethod[call.method]?.firstIndex(where: { $0 === call }) else { return }
    byMethod[call.method]?.remove(at: index)
    count -= 1
  }
}

extension ServerConnectionHandler {
  /// Counts an endless call, and ends older ones if the connection or its user has too many.
  ///
  /// The caller of an old call may be gone without the server having been told.
  func endlessCallStarted(_ call: ServerCall) {
    if endlessCalls.count >= limits.endlessCallsPerConnection,
      let oldest = endlessCalls.oldestOfMostFrequent
    {
      // A peer that does this continuously is read more slowly.
      waste.count(now: now)
      endEarly(
        oldest.streamID,
        .displaced(limit: limits.endlessCallsPerConnection, of: "a connection"))
    }
    endlessCalls.append(call)
    calls[call.streamID]?.endlessNumber = admission.account.add(call)
    if endSurplusOfUser() { waste.count(now: now) }
  }

  /// Ends the user's oldest endless calls above its budget.
  ///
  /// - Returns: True if there were any.
  @discardableResult
  func endSurplusOfUser() -> Bool {
    let limit = admission.budget.endlessCalls
    let oldest = admission.account.removeOldest(above: limit)
    for call in oldest {
      // The call may be on another connection, with another event loop.
      call.onConnection { controller, streamID in
        controller.endDisplaced(streamID, .displaced(limit: limit, of: "a user"))
      }
    }
    return !oldest.isEmpty
  }

  func endlessCallEnded(_ call: ServerCall, _ number: Int) {
    endlessCalls.remove(call)
    admission.account.remove(number)
  }
}
