internal import NIOCore

/// One call, from the moment it is made until somebody gives it an outcome: the server, its deadline,
/// the loss of the connection, or its caller. The first one counts.
///
/// Lives on its client's event loop.
final class ClientCall {
  typealias Outcome = Result<[UInt8], RPCError>
  /// Who waits for a stream to be open.
  typealias Opening = CheckedContinuation<Result<StreamWriter, RPCError>, Never>

  private enum State {
    /// Waiting for a connection.
    case queued
    case sent(UInt32)
    case finished(Outcome)
  }

  let shape: CallShape
  let waitsForReady: Bool
  let traffic: CallTraffic
  /// Where the server's messages wait, when responses are a stream.
  private(set) var inbound: InboundQueue?
  private let outcome: EventLoopPromise<Outcome>
  private var opening: Opening?
  private var writer: StreamWriter?
  private var deadline: Scheduled<Void>?
  private var connection: ClientConnectionHandler?
  private var state = State.queued

  init(
    shape: CallShape, waitsForReady: Bool, inbound: InboundQueue?, traffic: CallTraffic,
    outcome: EventLoopPromise<Outcome>
  ) {
    self.shape = shape
    self.waitsForReady = waitsForReady
    self.inbound = inbound
    self.traffic = traffic
    self.outcome = outcome
  }

  var isFinished: Bool { knownOutcome != nil }

  /// How the call has ended, if it has.
  var knownOutcome: Outcome? {
    if case .finished(let outcome) = state { outcome } else { nil }
  }

  /// Gives the call until then.
  func setDeadline(
    _ deadline: NIODeadline, timers: any EventLoop, on eventLoop: any EventLoop
  ) {
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    self.deadline = timers.scheduleTask(deadline: deadline) {
      eventLoop.execute { this.value.abandon(.deadlineExceeded) }
    }
  }

  /// Lets a continuation know once messages can be written.
  func whenOpen(_ opening: Opening) {
    if let writer {
      opening.resume(returning: .success(writer))
    } else if case .finished(let outcome) = state {
      opening.resume(returning: .failure(outcome.failure ?? .ended))
    } else {
      self.opening = opening
    }
  }

  /// The connection that is going to send it, and has to be told when nobody waits any more.
  func assign(_ connection: ClientConnectionHandler) {
    self.connection = connection
  }

  /// Its request leaves on this connection, as this stream.
  func started(_ streamID: UInt32, _ writer: StreamWriter?) {
    state = .sent(streamID)
    self.writer = writer
    if let writer { opening.take()?.resume(returning: .success(writer)) }
  }

  /// Ends the call from this side: what has come and was not read is dropped.
  func abandon(_ error: RPCError) {
    guard !isFinished else { return }
    if case .sent(let streamID) = state { connection?.abandon(streamID, error) }
    inbound?.fail(error)
    finish(.failure(error))
  }

  /// The caller reads no more.
  func dropUnread() {
    inbound?.fail(.ended)
  }

  /// Ends the call as the server says.
  func finish(_ outcome: Outcome) {
    guard !isFinished else { return }
    state = .finished(outcome)
    connection = nil
    writer = nil
    deadline?.cancel()
    inbound?.finish(outcome.map { _ in })
    opening.take()?.resume(returning: .failure(outcome.failure ?? .ended))
    self.outcome.succeed(outcome)
  }
}

extension Result {
  fileprivate var failure: Failure? {
    if case .failure(let error) = self { error } else { nil }
  }
}
