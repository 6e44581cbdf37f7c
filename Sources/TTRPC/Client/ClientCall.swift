internal import NIOCore

/// One call, from the moment it is made until somebody gives it an outcome: the server, its deadline,
/// the loss of the connection, or its caller's cancellation. The first one counts.
///
/// Lives on its client's event loop.
final class ClientCall {
  private enum State {
    /// Waiting for a connection.
    case queued
    case sent(UInt32)
    case finished
  }

  private let promise: EventLoopPromise<Result<[UInt8], RPCError>>
  private var deadline: Scheduled<Void>?
  private var connection: ClientConnectionHandler?
  private var state = State.queued

  init(_ promise: EventLoopPromise<Result<[UInt8], RPCError>>) {
    self.promise = promise
  }

  var isFinished: Bool {
    if case .finished = state { true } else { false }
  }

  /// Gives the call until then.
  func setDeadline(_ deadline: NIODeadline, on eventLoop: any EventLoop) {
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    self.deadline = eventLoop.scheduleTask(deadline: deadline) {
      this.value.abandon(.deadlineExceeded)
    }
  }

  /// Its request leaves on this connection, as this stream.
  func started(_ streamID: UInt32) {
    state = .sent(streamID)
  }

  /// The connection that is going to send it, and has to be told when nobody waits any more.
  func assign(_ connection: ClientConnectionHandler) {
    self.connection = connection
  }

  /// Ends the call from this side.
  func abandon(_ error: RPCError) {
    if case .sent(let streamID) = state { connection?.abandon(streamID) }
    finish(.failure(error))
  }

  /// Ends the call.
  func finish(_ outcome: Result<[UInt8], RPCError>) {
    guard !isFinished else { return }
    state = .finished
    connection = nil
    deadline?.cancel()
    promise.succeed(outcome)
  }
}
