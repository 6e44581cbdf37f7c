internal import NIOCore

/// What the connections of one event loop share.
struct ServerLoop: Sendable {
  let eventLoop: any EventLoop
  let executor: EventLoopTaskExecutor
  let turns: TurnQueue
  /// Answers of deferred calls, on the way to their connections.
  let answers: LoopInbox<@Sendable () -> Void>

  init(_ eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    executor = EventLoopTaskExecutor(eventLoop)
    turns = TurnQueue(eventLoop: eventLoop)
    answers = LoopInbox(eventLoop) { $0() }
  }
}
