internal import NIOCore

/// The objects that the connections of one event loop share.
struct ServerLoop: Sendable {
  let eventLoop: any EventLoop
  let executor: EventLoopTaskExecutor
  let readQueue: ReadQueue
  let busyPoll: BusyPoll
  /// Outcomes of deferred calls, on the way to their connections.
  let answers: LoopInbox<@Sendable () -> Void>

  init(_ eventLoop: any EventLoop, _ limits: ServerLimits) {
    self.eventLoop = eventLoop
    executor = EventLoopTaskExecutor(eventLoop)
    readQueue = ReadQueue(eventLoop: eventLoop)
    busyPoll = BusyPoll(eventLoop: eventLoop, time: TimeAmount(limits.busyPollTime))
    answers = LoopInbox(eventLoop) { $0() }
  }
}
