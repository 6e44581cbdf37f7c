internal import TTRPC

/// The checks of the client against a server, and the known differences of the servers.
final class Checks {
  /// The maximum payload of a frame, which includes the envelope and the header of the message.
  private static let frameLimit: Int64 = 4 * 1024 * 1024

  private let peer: Peer
  private(set) var haveFailed = false

  init(_ peer: Peer) {
    self.peer = peer
  }

  /// Prints whether a check holds, and the values it has seen if it does not.
  private func check(_ what: String, _ holds: Bool, _ got: Any...) {
    if holds { return print("ok  ", what) }
    haveFailed = true
    print("FAIL", what, got)
  }

  func answers() async {
    let answer = await peer.call("Echo", 41)
    check("a call has a response", answer.value == 42, answer)
    let empty = await peer.call("Echo", -1)
    check("an empty message is a response", empty.value == 0, empty)
  }

  func statuses() async {
    let refused = await peer.call("Refuse")
    check(
      "an error arrives with its code and message",
      refused.code == .failedPrecondition && refused.message == "no", refused)

    let unknown = await [peer.call("Nope"), peer.call("Echo", service: "nope")]
    switch peer.implementation {
    case .go:
      check(
        "an unknown method and service are UNIMPLEMENTED",
        unknown.allSatisfy { $0.code == .unimplemented }
          && unknown.map(\.message) == ["method Nope", "service nope"], unknown)
    case .rust:
      check(
        "an unknown method and service are INVALID_ARGUMENT with this server",
        unknown.allSatisfy { $0.code == .invalidArgument }
          && unknown.map(\.message) == ["/p/Nope does not exist", "/nope/Echo does not exist"],
        unknown)
    }
  }

  func metadataAndDeadlines() async {
    var options = CallOptions.patient
    options.metadata.append("v", for: "K")
    options.metadata.append("w", for: "k")
    let metadata = await peer.bytes("Metadata", options: options)
    check(
      "metadata arrives, with all values of a key in order",
      metadata.value == [0x0a, 3] + Array("v,w".utf8), metadata)

    options.timeout = .seconds(900)
    let told = await peer.call("Deadline", options: options)
    check(
      "the timeout of a call is sent to the server",
      (1...900_000_000_000).contains(told.value ?? 0), told)
    options.timeout = nil
    let endless = await peer.call("Deadline", options: options)
    check("a call without a timeout sends none", endless.value == 0, endless)
  }

  /// Cancels calls beside one that continues on the same connection.
  func cancelledCalls() async {
    let neighbour = peer.start("Wait", 1000)
    let late = await peer.call("Wait", 60_000, options: CallOptions(timeout: .milliseconds(100)))
    check("a deadline ends a call", late.code == .deadlineExceeded, late)

    let before = await peer.call("Begun").value ?? 0
    let task = peer.start("Wait", 60_000)
    await waitUntilBegun(before + 1)
    task.cancel()
    let cancelled = await task.value
    check("a cancelled task ends its call", cancelled.code == .cancelled, cancelled)
    let survivor = await neighbour.value
    check("the call beside them succeeds on its connection", survivor.value == 1000, survivor)

    guard peer.implementation == .go else { return }
    var expired = await peer.call("Expired")
    while expired.value == 0 {
      try? await Task.sleep(for: .milliseconds(50))
      expired = await peer.call("Expired")
    }
    check("the server ended the call at its deadline, too", expired.value == 1, expired)
  }

  func sizes() async {
    // 10 bytes for the tags and lengths of the message and of the envelope.
    let largest = Self.frameLimit - 10
    let fits = await peer.bytes("Large", largest)
    check("a response of 4 MiB arrives", fits.value?.count == Int(largest) + 5, fits.code)

    let neighbour = peer.start("Wait", 500)
    let tooLarge = await peer.bytes("Large", largest + 1)
    check(
      "a larger response is RESOURCE_EXHAUSTED", tooLarge.code == .resourceExhausted,
      tooLarge.message ?? tooLarge.value?.count ?? 0)
    let survivor = await neighbour.value
    check("the call beside it succeeds", survivor.value == 500, survivor)
  }

  func callsAtOnce() async {
    let wrong = await withTaskGroup(of: Answer<Int64>?.self) { [peer] group in
      for number in 0..<Int64(1000) {
        group.addTask {
          let answer = await peer.call("Echo", number)
          return answer.value == number + 1 ? nil : answer
        }
      }
      return await group.reduce(into: []) { wrong, answer in wrong += answer.map { [$0] } ?? [] }
    }
    check(
      "each of 1000 concurrent calls has its response", wrong.isEmpty, wrong.count,
      wrong.first as Any)
  }

  /// Waits until a number of calls of Wait have begun.
  private func waitUntilBegun(_ count: Int64) async {
    while let begun = await peer.call("Begun").value, begun < count {
      try? await Task.sleep(for: .milliseconds(10))
    }
  }

  func lostConnections() async {
    let before = await peer.call("Begun").value ?? 0
    let running = peer.start("Wait", 60_000)
    // Both calls must be on the same connection.
    await waitUntilBegun(before + 1)
    let cut = await peer.call("Cut")
    check("a call whose connection is cut is UNAVAILABLE", cut.code == .unavailable, cut)
    let lost = await running.value
    check("the call beside it is UNAVAILABLE, too", lost.code == .unavailable, lost)
    let next = await peer.call("Echo", 1)
    check("the next call opens a new connection", next.value == 2, next)

    guard peer.implementation == .go else { return }
    let others = await peer.call("Begun").value ?? 0
    let last = peer.start("Wait", 5000)
    await waitUntilBegun(others + 1)
    let restart = await peer.call("Restart")
    check("a server that shuts down responds", restart.value == 0, restart)
    var unanswered: [Answer<Int64>] = []
    for _ in 0..<30 {
      let meanwhile = await peer.call("Echo", 1, isIdempotent: true)
      if meanwhile.value != 2 { unanswered.append(meanwhile) }
      try? await Task.sleep(for: .milliseconds(50))
    }
    check(
      "idempotent calls succeed while the next server takes over",
      unanswered.isEmpty, unanswered)
    let answered = await last.value
    check("the call in flight before the restart succeeds", answered.value == 5000, answered)
  }
}
