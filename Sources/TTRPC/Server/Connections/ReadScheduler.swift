internal import NIOCore
internal import NIOPosix

/// The schedule of a connection's reads: it pauses them, and polls for the peer's next call.
///
/// A connection is not read
///
/// - after it has used up its read quota, until the other connections of its event loop have been
///   read,
/// - after it has sent too many wasted frames, until their time span ends,
/// - while handlers are too far behind with its messages, for a limited time.
package final class ReadScheduler {
  private let limits: ServerLimits
  private let loop: ServerLoop
  private let channel: any Channel
  private let opened: NIODeadline
  private(set) var isPaused = false
  /// The timer that ends the pause of a connection that has sent too many wasted frames.
  private var wasteTimer: Scheduled<Void>?
  /// The timer that ends the wait for handlers, and the calls whose messages they handle.
  private var readersTimer: Scheduled<Void>?
  private weak var calls: CallTable?
  private var waste: WasteMeter
  private var pollPause = PollPause()
  /// Takes the frames that have arrived, before the connection is read again.
  var resumed: () -> Void = {}

  private var eventLoop: any EventLoop { loop.eventLoop }

  init(_ limits: ServerLimits, _ loop: ServerLoop, _ channel: any Channel) {
    self.limits = limits
    self.loop = loop
    self.channel = channel
    opened = loop.eventLoop.now
    waste = WasteMeter(limits)
  }

  /// The number of frames that may be taken now.
  var quota: Int { limits.framesPerRead * (loop.readQueue.isEmpty ? Self.quotasWhenAlone : 1) }

  /// The number of read quotas that a connection has at once if no other waits.
  ///
  /// A pause would cost more than processing these frames.
  private static let quotasWhenAlone = 4

  /// Counts wasted frames; see ``ServerLimits/wastedFramesPerSecond``.
  package func countWaste(_ frames: Int = 1) {
    if frames > 0 { waste.count(frames, now: eventLoop.now) }
  }

  /// A Boolean value that indicates whether the peer has sent too many wasted frames.
  package var isWasteful: Bool { waste.isTooMuch(now: eventLoop.now) }

  /// Pauses reading until the other connections have been read.
  ///
  /// Nothing is read meanwhile, so that no more data waits than one read has delivered. A
  /// connection that has sent too many wasted frames also waits until their time span ends.
  package func pause() {
    guard !isPaused else { return }
    isPaused = true
    setReading(false)
    guard isWasteful else { return loop.readQueue.append(self) }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    wasteTimer = eventLoop.scheduleTask(deadline: waste.end) {
      this.value.loop.readQueue.append(this.value)
    }
  }

  // MARK: Slow readers

  /// Pauses reading until the handlers that are too far behind have taken half of their messages,
  /// or ``ServerLimits/slowReaderTimeout`` has passed.
  ///
  /// ttrpc has no flow control, so this is the only way to slow a sender down. All calls of the
  /// connection wait meanwhile; therefore the time is limited.
  func pauseForReaders(of calls: CallTable) {
    guard !isPaused else { return }
    isPaused = true
    setReading(false)
    self.calls = calls
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    readersTimer = eventLoop.scheduleTask(in: TimeAmount(limits.slowReaderTimeout)) {
      this.value.calls?.endSlowReaders()
      this.value.stopWaitingForReaders()
    }
    checkReaders()
  }

  /// Resumes reading if the handlers have caught up; otherwise waits until a message is taken.
  private func checkReaders() {
    guard isWaitingForReaders, let calls else { return }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    // Before the queues are checked, so that no message taken after the check is missed.
    calls.inboundBudget.announceNextRefund { [eventLoop] in
      eventLoop.execute { this.value.checkReaders() }
    }
    if calls.readersHaveCaughtUp { stopWaitingForReaders() }
  }

  private func stopWaitingForReaders() {
    cancelTimers()
    loop.readQueue.append(self)
  }

  /// A Boolean value that indicates whether a pause ends once handlers have caught up.
  var isWaitingForReaders: Bool { readersTimer != nil }

  private func cancelTimers() {
    wasteTimer?.cancel()
    wasteTimer = nil
    readersTimer?.cancel()
    readersTimer = nil
    calls?.inboundBudget.cancelAnnouncement()
  }

  /// Cancels the timers and the place in the queue of a connection that closes.
  func stop() {
    cancelTimers()
    resumed = {}
    if isPaused { loop.readQueue.remove(self) }
  }

  private func setReading(_ isOn: Bool) {
    // The option can be set unless the channel is closed.
    try? channel.syncOptions?.setOption(.autoRead, value: isOn)
  }

  // MARK: Polling

  /// Polls for the peer's next call, which often follows at once when it has no call in flight.
  ///
  /// It polls only if this connection was also read last and no other one is waiting.
  package func pollForNextCall(hasCalls: Bool) {
    let busyPoll = loop.busyPoll
    guard busyPoll.isEnabled, busyPoll.wasRead(self), !hasCalls, loop.readQueue.isEmpty,
      pollPause.isOver(), channel.isActive
    else { return }
    let hasInput = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self, busyPoll.wait)
    pollPause.recordPoll(foundInput: hasInput != false)
  }
}

extension ReadScheduler: QueuedReader {
  func resumeReading() {
    isPaused = false
    guard channel.isActive else { return }
    resumed()
    if !isPaused { setReading(true) }
  }

  /// A Boolean value that indicates whether the connection is at least a second old, its peer reads
  /// its responses, and it has never sent a wasted frame.
  var isWellBehaved: Bool {
    channel.isWritable && waste.isNone && eventLoop.now - opened > Self.probation
  }

  /// The minimum age of a well-behaved connection; a peer that does not read is detected by then.
  private static let probation: TimeAmount = .seconds(1)
}
