package import NIOCore
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
  /// The time at which the current pause began.
  private var pauseBegan: NIODeadline?
  /// The sum of the earlier pauses.
  private var pausedTime: TimeAmount = .zero
  /// The timer that ends the pause of a connection that has sent too many wasted frames.
  private var wasteTimer: Scheduled<Void>?
  /// The timer that ends the wait for handlers, and the calls whose messages they handle.
  private var readersTimer: Scheduled<Void>?
  private weak var calls: CallTable?
  private var waste: WasteMeter
  private var pollPause = PollPause()
  /// Takes the frames that have arrived, before the connection is read again.
  package var resumed: () -> Void = {}

  private var eventLoop: any EventLoop { loop.eventLoop }

  init(_ limits: ServerLimits, _ loop: ServerLoop, _ channel: any Channel) {
    self.limits = limits
    self.loop = loop
    self.channel = channel
    opened = loop.eventLoop.now
    waste = WasteMeter(limits)
  }

  package var isPaused: Bool { pauseBegan != nil }

  /// The time of a clock that stops during pauses: a peer is not late with what is not read.
  package var readingTime: NIODeadline { (pauseBegan ?? eventLoop.now) - pausedTime }

  /// The number of frames that may be taken now.
  package var quota: Int {
    limits.framesPerRead * (loop.readQueue.isEmpty ? Self.quotasWhenAlone : 1)
  }

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
    beginPause()
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
    beginPause()
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

  private func beginPause() {
    pauseBegan = eventLoop.now
    setReading(false)
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

  // MARK: Read queue

  /// Continues to read, for the ``ReadQueue``.
  fileprivate func resumeReading() {
    if let pauseBegan { pausedTime = pausedTime + (eventLoop.now - pauseBegan) }
    pauseBegan = nil
    guard channel.isActive else { return }
    resumed()
    if !isPaused { setReading(true) }
  }

  /// A Boolean value that indicates whether the connection may share a time slice with others.
  ///
  /// It is at least a second old, its peer reads its responses, and it has never sent a wasted
  /// frame.
  fileprivate var isWellBehaved: Bool {
    channel.isWritable && waste.isNone && eventLoop.now - opened > Self.probation
  }

  /// The minimum age of a well-behaved connection; a peer that does not read is detected by then.
  private static let probation: TimeAmount = .seconds(1)
}

/// The connections of an event loop that have used up their read quota and wait to continue.
///
/// They continue one after the other. Between any two of them the event loop polls its sockets, so
/// that a connection that sends little waits for one of them instead of all.
///
/// Well-behaved connections share one time slice, so that busy clients are not slowed down.
final class ReadQueue: Sendable {
  private struct State {
    var waiting: CircularBuffer<ReadScheduler> = []
    /// The timer after which the first connection continues.
    var timer: Scheduled<Void>?
  }

  private let eventLoop: any EventLoop
  private let state: NIOLoopBoundBox<State>

  init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    state = .makeBoxSendingValue(State(), eventLoop: eventLoop)
  }

  /// A Boolean value that indicates whether no connection waits.
  var isEmpty: Bool { state.value.waiting.isEmpty }

  /// Adds a connection, which continues after those that were added before it.
  func append(_ connection: ReadScheduler) {
    state.value.waiting.append(connection)
    schedule()
  }

  /// Removes a connection that has closed.
  func remove(_ connection: ReadScheduler) {
    state.value.waiting.removeAll { $0 === connection }
    if isEmpty {
      state.value.timer?.cancel()
      state.value.timer = nil
    }
  }

  private func schedule() {
    guard state.value.timer == nil, !isEmpty else { return }
    // The event loop runs all tasks that are due before it polls its sockets. A task that is due
    // later makes it poll first.
    state.value.timer = eventLoop.scheduleTask(deadline: eventLoop.now + Self.pauseTime) {
      self.next()
    }
  }

  private func next() {
    state.value.timer = nil
    let sliceEnd = eventLoop.now + Self.sliceTime
    // Only the connections that wait now: one that has to wait again continues in the next slice.
    var count = state.value.waiting.count
    repeat {
      state.value.waiting.popFirst()?.resumeReading()
      count -= 1
    } while count > 0 && state.value.waiting.first?.isWellBehaved == true
      && eventLoop.now < sliceEnd
    schedule()
  }

  private static let sliceTime: TimeAmount = .microseconds(200)
  private static let pauseTime: TimeAmount = .microseconds(50)
}

/// A counter of the wasted frames of a connection, in short time spans.
struct WasteMeter {
  private static let spansPerSecond = 50
  private static let span: TimeAmount = .nanoseconds(1_000_000_000 / Int64(spansPerSecond))
  private static let longestSpan: TimeAmount = .seconds(1)

  /// The number of wasted frames of which the time span may have one less.
  private let limit: Int
  private var begin = NIODeadline.uptimeNanoseconds(0)
  private var frames = 0

  init(_ limits: ServerLimits) {
    limit = max(limits.wastedFramesPerSecond / Self.spansPerSecond, 1)
  }

  /// A Boolean value that indicates whether there has never been a wasted frame.
  var isNone: Bool { frames == 0 }

  /// The end of the time span of the last wasted frame.
  ///
  /// A read may have many of them, which then take longer than the shortest span.
  var end: NIODeadline {
    let time = TimeAmount.nanoseconds(Self.span.nanoseconds * Int64(frames) / Int64(limit))
    return begin + min(max(time, Self.span), Self.longestSpan)
  }

  mutating func count(_ frames: Int = 1, now: NIODeadline) {
    if now >= end { (begin, self.frames) = (now, 0) }
    self.frames += frames
  }

  /// Returns whether the current time span has as many wasted frames as the limit permits.
  func isTooMuch(now: @autoclosure () -> NIODeadline) -> Bool { frames >= limit && now() < end }
}
