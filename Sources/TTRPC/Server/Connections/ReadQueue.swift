internal import NIOCore

/// A connection that waits in a ``ReadQueue``.
protocol QueuedReader: AnyObject {
  /// Continues to read.
  func resumeReading()

  /// A Boolean value that indicates whether the connection may share a time slice with others.
  var isWellBehaved: Bool { get }
}

/// The connections of an event loop that have used up their read quota and wait to continue.
///
/// They continue one after the other. Between any two of them the event loop polls its sockets, so
/// that a connection that sends little waits for one of them instead of all.
///
/// Well-behaved connections share one time slice, so that busy clients are not slowed down.
final class ReadQueue: Sendable {
  private struct State {
    var waiting: CircularBuffer<any QueuedReader> = []
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
  func append(_ connection: any QueuedReader) {
    state.value.waiting.append(connection)
    schedule()
  }

  /// Removes a connection that has closed.
  func remove(_ connection: any QueuedReader) {
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
