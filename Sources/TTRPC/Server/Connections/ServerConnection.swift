package import Logging
package import NIOCore

/// A connection of a server: its peer, its calls, its reads and its limits, whatever its wire
/// format.
///
/// It is used on the connection's event loop only. The handler of the wire format refers to it, and
/// it refers to the handler between ``attach(_:)`` and ``detach()``. A connection that speaks
/// HTTP/1.1 has no calls here, and attaches no handler.
package final class ServerConnection {
  let server: ServerParts
  let peer: PeerIdentity
  let logger: Logger
  let loop: ServerLoop
  package let channel: any Channel
  package let reads: ReadScheduler
  package let calls: CallTable
  package var activity: PeerActivity
  private var output: (any ConnectionOutput)?
  /// This connection's part of ``ServerLoad/bytesQueued``.
  private(set) var queuedBytes = 0
  private var watch: RepeatedTask?
  /// The timer that closes a reserved connection.
  private var reserveTimer: Scheduled<Void>?

  package var limits: ServerLimits { server.limits }
  package var methods: MethodTable { loop.methods }
  package var eventLoop: any EventLoop { loop.eventLoop }
  package var now: NIODeadline { eventLoop.now }

  init(
    _ server: ServerParts, _ peer: PeerIdentity, _ admission: Admission, _ channel: any Channel,
    _ loop: ServerLoop, _ logger: Logger
  ) {
    self.server = server
    self.peer = peer
    self.logger = logger
    self.loop = loop
    self.channel = channel
    reads = ReadScheduler(server.limits, loop, channel)
    calls = CallTable(server, loop, reads, admission)
    activity = PeerActivity(lastRead: reads.readingTime)
  }

  /// Adds the handler that serves the connection to its channel, and starts to watch the peer.
  func start() throws {
    try channel.pipeline.syncOperations.addHandler(FormatDetector(self))
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    channel.closeFuture.whenComplete { _ in this.value.closed() }
    let shortest = min(
      limits.frameTimeout, limits.writeTimeout, limits.idleTimeout ?? limits.frameTimeout)
    let interval = TimeAmount(max(shortest / 4, .milliseconds(10)))
    watch = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
      this.value.checkPeer()
    }
    guard calls.admission.isReserved else { return }
    reserveTimer = eventLoop.scheduleTask(in: TimeAmount(limits.reservedConnectionTimeout)) {
      this.value.close("the time of a reserved connection is over", .debug)
    }
  }

  /// Connects the calls to the output of the connection's wire format, once that is known.
  package func attach(_ output: any ConnectionOutput) {
    self.output = output
    calls.attach(
      output,
      CallConnection(peer: peer, logger: logger, eventLoop: eventLoop, controller: calls))
  }

  /// Ends all calls without an answer, once the connection is closed.
  package func detach() {
    watch?.cancel()
    reserveTimer?.cancel()
    reads.stop()
    calls.detach()
    output = nil
    reportQueuedBytes(0)
  }

  private func closed() {
    detach()
    // The current admission: the budget may have changed since the connection was admitted.
    server.load.connectionClosed(calls.admission)
  }

  /// Reads the budget of the connection's user again.
  package func budgetChanged() {
    calls.budgetChanged(to: server.budget(peer))
  }

  /// Closes the connection at once.
  ///
  /// Data that the peer has not read yet may be lost.
  package func close(
    _ reason: String, _ level: Logger.Level = .notice,
    metadata: @autoclosure () -> Logger.Metadata = [:]
  ) {
    logger.log(level: level, "closing connection: \(reason)", metadata: metadata())
    if let output { output.close() } else { channel.close(promise: nil) }
  }

  /// Closes the connection of a peer that breaks the rules of the protocol.
  ///
  /// The user's next connections may have to wait; see
  /// ``ServerLimits/connectionsPerSecondPerUser``.
  package func closeAfterViolation(
    _ reason: String, metadata: @autoclosure () -> Logger.Metadata = [:]
  ) {
    server.connectionRates.violated(by: peer.userID, at: now)
    close(reason, metadata: metadata())
  }

  // MARK: Watch

  /// Stops watching the peer, for a wire format that has timeouts of its own.
  func stopWatching() { watch?.cancel() }

  /// Closes the connection if the peer stops within a frame, does not read, or is idle.
  ///
  /// It runs at intervals of a quarter of the shortest timeout.
  private func checkPeer() {
    let queuedBefore = queuedBytes
    checkQueuedBytes()
    guard channel.isActive else { return }
    // The peer has read something, so the write timeout starts again.
    if queuedBytes < queuedBefore, activity.unwritableSince != nil {
      activity.unwritableSince = now
    }
    let hasCalls = !calls.isEmpty || output?.isIdle == false
    if let stall = activity.stall(
      limits, hasCalls: hasCalls, now: now, readingTime: reads.readingTime)
    {
      close(stall.reason, stall.level)
    } else {
      output?.watchTicked()
    }
  }

  /// Closes the connection if the peer does not read its responses, or if the server's queues are
  /// full and this connection holds more than its share.
  package func checkQueuedBytes() {
    guard let output, channel.isActive else { return }
    let unread = output.unreadResponseBytes
    guard unread <= limits.queuedBytesPerConnection else {
      logger.notice(
        "closing connection: the peer does not read its responses",
        metadata: ["queued_bytes": "\(unread)"])
      return channel.close(promise: nil)
    }
    let total = reportQueuedBytes(unread + output.queuedBytes + calls.queuedBytes)
    // A connection that holds less than an equal share is not the cause.
    guard total > limits.queuedBytes, queuedBytes > limits.queuedBytes / limits.connections else {
      return
    }
    logger.warning(
      "closing connection: the limit on queued bytes of the server is reached",
      metadata: ["queued_bytes": "\(total)", "queued_bytes_of_peer": "\(queuedBytes)"])
    channel.close(promise: nil)
  }

  /// Updates this connection's part of the server's queued bytes.
  ///
  /// - Returns: The queued bytes of the whole server.
  @discardableResult
  private func reportQueuedBytes(_ bytes: Int) -> Int {
    let change = bytes - queuedBytes
    queuedBytes = bytes
    return server.load.changeQueuedBytes(by: change)
  }
}

/// The times of a connection's last events, which show whether the peer stalls.
package struct PeerActivity {
  /// The ``ReadScheduler/readingTime`` at which the peer last sent something.
  package var lastRead: NIODeadline
  /// The ``ReadScheduler/readingTime`` at which an incomplete frame began; `nil` if there is none.
  package var frameBegan: NIODeadline?
  /// The time since which the peer has read nothing, although data waits for it.
  fileprivate(set) var unwritableSince: NIODeadline?

  /// Sets whether data waits for the peer, which it may have done since an earlier time.
  package mutating func setUnwritable(_ isUnwritable: Bool = true, at now: NIODeadline) {
    unwritableSince = isUnwritable ? unwritableSince ?? now : nil
  }

  /// A reason to close a connection.
  struct Stall: Equatable {
    let reason: String
    let level: Logger.Level
  }

  /// Returns the reason to close the connection at a time, or `nil`.
  func stall(
    _ limits: ServerLimits, hasCalls: Bool, now: NIODeadline, readingTime: NIODeadline
  ) -> Stall? {
    if let frameBegan, readingTime - frameBegan > TimeAmount(limits.frameTimeout) {
      return Stall(
        reason: "a frame was not complete within \(limits.frameTimeout)", level: .notice)
    }
    if let unwritableSince, now - unwritableSince > TimeAmount(limits.writeTimeout) {
      return Stall(reason: "the peer has read nothing for \(limits.writeTimeout)", level: .notice)
    }
    if let idleTimeout = limits.idleTimeout, !hasCalls,
      readingTime - lastRead > TimeAmount(idleTimeout)
    {
      return Stall(reason: "idle", level: .debug)
    }
    return nil
  }
}
