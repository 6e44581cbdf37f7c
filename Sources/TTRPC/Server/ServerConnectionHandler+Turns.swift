internal import NIOCore
internal import NIOPosix

extension ServerConnectionHandler {
  /// Lets the other connections have their turn before more frames of this one are taken. Until then
  /// nothing is read either, so that what waits is no more than one turn has read.
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

  // MARK: Readers that are behind

  /// Reads nothing more until the handlers that are too far behind have taken half of what waits for them,
  /// or their time is over.
  ///
  /// ttrpc has no flow control, so that this is the only way to slow a sender down, and all calls of the
  /// connection wait with it. Therefore the time is bounded.
  func waitForReaders() {
    guard let context, !isPaused else { return }
    isPaused = true
    setReading(false)
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    slowReaderTimer = context.eventLoop.scheduleTask(in: TimeAmount(limits.slowReaderTime)) {
      this.value.endSlowReaders()
    }
    checkReaders()
  }

  /// Goes on where the readers have caught up, else waits for their next message to be taken.
  private func checkReaders() {
    guard readersAreBehind else { return }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    // Before the queues are looked at: what is taken after that is announced.
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

  /// The connection's turn has come.
  func resumeReading() {
    isPaused = false
    // The peer could not send meanwhile.
    lastActivity = now
    guard let context, context.channel.isActive else { return }
    takeFrames()
    turnEnded()
    guard !isPaused else { return }
    setReading(true)
    endInput()
  }

  /// The peer has been answered. Where it waits for nothing else, and nobody else is there, it may well call
  /// again before the loop is asleep.
  func pollForNextCall() {
    let busyPoll = loop.busyPoll
    guard busyPoll.isEnabled, busyPoll.turnEnded(of: self), calls.isEmpty, turns.isEmpty,
      pollPause.isOver(), let context, context.channel.isActive
    else { return }
    let hasCome = try? context.channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self, busyPoll.wait)
    pollPause.waited(inVain: hasCome == false)
  }

  /// Whether the peer has been there for a while, reads what it is answered, and has cost the server
  /// nothing in vain.
  var isWellBehaved: Bool {
    context?.channel.isWritable == true && waste.isNone && now - opened > Self.probation
  }

  /// Who does not read has shown it by then.
  private static let probation: TimeAmount = .seconds(1)

  /// The connection closes: it has no more turns.
  func stopWaiting() {
    wasteEnds?.cancel()
    forgetReaders()
    if isPaused { turns.remove(self) }
  }

  private func setReading(_ isOn: Bool) {
    // Only a channel that is closed refuses.
    try? context?.channel.syncOptions?.setOption(.autoRead, value: isOn)
  }
}

/// Counts the frames of a connection that were of no use to anybody, in short spans of time.
struct WasteMeter {
  private static let spansPerSecond = 50
  private static let span: TimeAmount = .nanoseconds(1_000_000_000 / Int64(spansPerSecond))

  private var begin = NIODeadline.uptimeNanoseconds(0)
  private var frames = 0

  /// Whether there was never any.
  var isNone: Bool { frames == 0 }

  /// When the span ends in which the last of them came.
  var end: NIODeadline { begin + Self.span }

  mutating func count(now: NIODeadline) {
    if now >= end { (begin, frames) = (now, 0) }
    frames += 1
  }

  /// Whether there were as many of them as the span has room for, and it has not ended.
  func isTooMuch(_ limits: ServerLimits, now: @autoclosure () -> NIODeadline) -> Bool {
    let perSpan = limits.wastedFramesPerSecond / Self.spansPerSecond
    return frames >= max(perSpan, 1) && now() < end
  }
}
