internal import NIOCore
internal import NIOPosix

extension ServerConnectionHandler {
  /// Stops taking frames from this connection until the other connections have been served.
  ///
  /// Nothing is read meanwhile, so that no more data waits than one read has delivered. A
  /// connection that has sent too many wasted frames also waits until their time span ends.
  func pauseReading() {
    guard let context, !isPaused else { return }
    isPaused = true
    setReading(false)
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    if waste.isTooMuch(limits, now: now) {
      wasteEnds = context.eventLoop.scheduleTask(deadline: waste.end) {
        this.value.turns.append(this.value)
      }
    } else {
      turns.append(self)
    }
  }

  // MARK: Slow readers

  /// Stops reading until the handlers that are too far behind have taken half of their messages, or
  /// ``ServerLimits/slowReaderTimeout`` has passed.
  ///
  /// ttrpc has no flow control, so this is the only way to slow a sender down. All calls of the
  /// connection wait meanwhile; therefore the time is limited.
  func waitForReaders() {
    guard let context, !isPaused else { return }
    isPaused = true
    setReading(false)
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    slowReaderTimer = context.eventLoop.scheduleTask(in: TimeAmount(limits.slowReaderTimeout)) {
      this.value.endSlowReaders()
    }
    checkReaders()
  }

  /// Resumes reading if the handlers have caught up; otherwise waits until a message is taken.
  private func checkReaders() {
    guard readersAreBehind else { return }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    // Before the queues are checked, so that no message taken after the check is missed.
    inboundBudget.announceNextRefund { [eventLoop] in
      eventLoop.execute { this.value.checkReaders() }
    }
    if haveCaughtUp { stopWaitingForReaders() }
  }

  private var haveCaughtUp: Bool {
    inboundBudget.bytes <= limits.queuedBytesPerConnection / 2
      && calls.values.allSatisfy { $0.queuedBytes <= limits.effectiveQueuedBytesPerStream / 2 }
  }

  private func endSlowReaders() {
    for (streamID, call) in calls where call.queuedBytes > limits.effectiveQueuedBytesPerStream {
      endEarly(streamID, .slowReader)
    }
    while inboundBudget.bytes > limits.queuedBytesPerConnection,
      let greediest = calls.max(by: { $0.value.queuedBytes < $1.value.queuedBytes }),
      greediest.value.queuedBytes > 0
    {
      endEarly(greediest.key, .slowReader)
    }
    stopWaitingForReaders()
  }

  private func stopWaitingForReaders() {
    forgetReaders()
    turns.append(self)
  }

  private func forgetReaders() {
    readersAreBehind = false
    slowReaderTimer?.cancel()
    slowReaderTimer = nil
    inboundBudget.cancelAnnouncement()
  }

  /// Takes further frames, and resumes reading if no more are left.
  ///
  /// The queue calls it when it is this connection's turn.
  func resumeReading() {
    isPaused = false
    // Reading was paused, so the peer was not idle.
    lastActivity = now
    guard let context, context.channel.isActive else { return }
    takeFrames()
    turnEnded()
    guard !isPaused else { return }
    setReading(true)
    endInput()
  }

  /// Polls for the peer's next call, which often follows at once when it has no call in flight.
  ///
  /// It polls only if this connection was also served last and no other one is waiting.
  func pollForNextCall() {
    let busyPoll = loop.busyPoll
    guard busyPoll.isEnabled, busyPoll.turnEnded(of: self), calls.isEmpty, turns.isEmpty,
      pollPause.isOver(), let context, context.channel.isActive
    else { return }
    let hasInput = try? context.channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self, busyPoll.wait)
    pollPause.recordPoll(foundInput: hasInput != false)
  }

  /// A Boolean value that indicates whether the connection is at least a second old, its peer reads
  /// its responses, and it has never sent a wasted frame.
  var isWellBehaved: Bool {
    context?.channel.isWritable == true && waste.isNone && now - opened > Self.probation
  }

  /// The minimum age of a well-behaved connection; a peer that does not read is detected by then.
  private static let probation: TimeAmount = .seconds(1)

  /// Cancels the timers and the place in the queue of a connection that closes.
  func stopWaiting() {
    wasteEnds?.cancel()
    forgetReaders()
    if isPaused { turns.remove(self) }
  }

  private func setReading(_ isOn: Bool) {
    // The option can be set unless the channel is closed.
    try? context?.channel.syncOptions?.setOption(.autoRead, value: isOn)
  }
}

/// A counter of the wasted frames of a connection, in short time spans.
struct WasteMeter {
  private static let spansPerSecond = 50
  private static let span: TimeAmount = .nanoseconds(1_000_000_000 / Int64(spansPerSecond))

  private var begin = NIODeadline.uptimeNanoseconds(0)
  private var frames = 0

  /// A Boolean value that indicates whether there has never been a wasted frame.
  var isNone: Bool { frames == 0 }

  /// The end of the time span of the last wasted frame.
  var end: NIODeadline { begin + Self.span }

  mutating func count(now: NIODeadline) {
    if now >= end { (begin, frames) = (now, 0) }
    frames += 1
  }

  /// Returns whether the current time span has as many wasted frames as the limit permits.
  func isTooMuch(_ limits: ServerLimits, now: @autoclosure () -> NIODeadline) -> Bool {
    let perSpan = limits.wastedFramesPerSecond / Self.spansPerSecond
    return frames >= max(perSpan, 1) && now() < end
  }
}
