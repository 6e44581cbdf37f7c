internal import NIOCore

/// A call, from its creation to its outcome, used on the client's event loop only.
///
/// The server, the deadline, the loss of the connection or the caller can end the call. The first
/// of them determines the outcome.
final class ClientCall {
  typealias Outcome = Result<[UInt8], RPCError>
  /// The continuation of a task that waits until it can write to the stream.
  typealias Opening = CheckedContinuation<Result<StreamWriter, RPCError>, Never>

  private enum State {
    /// The call waits for a connection.
    case queued
    case sent(UInt32)
    case finished(Outcome)
  }

  let shape: CallShape
  let waitsForReady: Bool
  let traffic: CallTraffic
  /// The queue of the server's unread messages, or nil if the method has one response.
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

  /// The outcome of the call, or nil if it has not ended.
  var knownOutcome: Outcome? {
    if case .finished(let outcome) = state { outcome } else { nil }
  }

  /// Schedules the end of the call at a deadline.
  ///
  /// - Parameter timers: The event loop whose clock the deadline refers to.
  func setDeadline(
    _ deadline: NIODeadline, timers: any EventLoop, on eventLoop: any EventLoop
  ) {
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    self.deadline = timers.scheduleTask(deadline: deadline) {
      eventLoop.execute { this.value.abandon(.deadlineExceeded) }
    }
  }

  /// Resumes a continuation when messages can be written, or when the call has ended.
  func whenOpen(_ opening: Opening) {
    if let writer {
      opening.resume(returning: .success(writer))
    } else if case .finished(let outcome) = state {
      opening.resume(returning: .failure(outcome.failure ?? .ended))
    } else {
      self.opening = opening
    }
  }

  /// Sets the connection that sends the call and that is told if the caller abandons it.
  func assign(_ connection: ClientConnectionHandler) {
    self.connection = connection
  }

  /// Records that the request was sent on the assigned connection, with this stream id.
  func started(_ streamID: UInt32, _ writer: StreamWriter?) {
    state = .sent(streamID)
    self.writer = writer
    if let writer { opening.take()?.resume(returning: .success(writer)) }
  }

  /// Ends the call from this side with an error.
  ///
  /// - Parameter keepsUnread: If true, the reader gets the unread messages before the error;
  ///   otherwise, they are dropped.
  func abandon(_ error: RPCError, keepsUnread: Bool = false) {
    guard !isFinished else { return }
    if case .sent(let streamID) = state { connection?.abandon(streamID, error) }
    if !keepsUnread { inbound?.fail(error) }
    finish(.failure(error))
  }

  /// Drops the unread messages after the caller has stopped reading.
  func dropUnread() {
    inbound?.fail(.ended)
  }

  /// Ends the call with an outcome; the reader still gets the unread messages.
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
