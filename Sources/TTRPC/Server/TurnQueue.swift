internal import NIOCore

/// The connections of one event loop that have sent more than they could have taken at once. They go
/// on one after the other, and between any two of them the loop looks at its sockets: who sends little
/// waits for one of them, and not for all.
///
/// Those that have shown themselves well-behaved go on together for a slice of time: they are busy, and not
/// to be slowed down.
final class TurnQueue: Sendable {
  private struct State {
    var waiting: CircularBuffer<ServerConnectionHandler> = []
    /// When the first of them goes on.
    var timer: Scheduled<Void>?
  }

  private let eventLoop: any EventLoop
  private let state: NIOLoopBoundBox<State>

  init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    state = .makeBoxSendingValue(State(), eventLoop: eventLoop)
  }

  /// Whether any connection waits.
  var isEmpty: Bool { state.value.waiting.isEmpty }

  /// Has the connection resume once those before it have.
  func append(_ connection: ServerConnectionHandler) {
    state.value.waiting.append(connection)
    schedule()
  }

  /// Forgets a connection that has closed.
  func remove(_ connection: ServerConnectionHandler) {
    state.value.waiting.removeAll { $0 === connection }
    if isEmpty {
      state.value.timer?.cancel()
      state.value.timer = nil
    }
  }

  private func schedule() {
    guard state.value.timer == nil, !isEmpty else { return }
    // The loop runs all tasks that are due before it looks at its sockets; one that is not due yet
    // makes it look.
    state.value.timer = eventLoop.scheduleTask(deadline: eventLoop.now + Self.pauseTime) {
      self.next()
    }
  }

  private func next() {
    state.value.timer = nil
    let sliceEnd = eventLoop.now + Self.sliceTime
    // Of those who are here now: who has another turn coming waits for the next slice.
    var turns = state.value.waiting.count
    repeat {
      state.value.waiting.popFirst()?.resumeReading()
      turns -= 1
    } while turns > 0 && state.value.waiting.first?.isWellBehaved == true
      && eventLoop.now < sliceEnd
    schedule()
  }

  private static let sliceTime: TimeAmount = .microseconds(200)
  private static let pauseTime: TimeAmount = .microseconds(50)
}
