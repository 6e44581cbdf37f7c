import CFuzzing
import Dispatch
import NIOCore
import NIOEmbedded

/// The threads of a run, all in one: an event loop and the pool that tasks run on, each of which goes on
/// when the input says so. Off the loop nobody is in it, though the thread is the same.
final class Turns: EventLoop {
  let loop = EmbeddedEventLoop()
  // Sendable: one thread runs everything.
  private let state = State()

  private final class State: @unchecked Sendable {
    // One thread runs everything.
    var isOnLoop = false
    var timers = 0
  }

  /// Timers that have neither rung nor been cancelled.
  var timers: Int { state.timers }

  var inEventLoop: Bool { state.isOnLoop }

  var now: NIODeadline { loop.now }

  /// Runs a closure as the event loop does.
  func onLoop<Value>(_ body: () throws -> Value) rethrows -> Value {
    let before = state.isOnLoop
    state.isOnLoop = true
    defer { state.isOnLoop = before }
    return try body()
  }

  /// Runs what waits for the event loop.
  func turn() { onLoop { loop.run() } }

  func advance(_ amount: TimeAmount) { onLoop { loop.advanceTime(by: amount) } }

  /// Runs one job of those that wait for the pool, if there is any.
  func runJob(_ place: Int) {
    let waiting = cfuzzing_waiting_jobs()
    if waiting > 0 { cfuzzing_run_job(place % waiting) }
  }

  /// Runs everything until nothing is left to do.
  func runUntilQuiet() {
    for _ in 0..<100_000 {
      turn()
      guard cfuzzing_waiting_jobs() > 0 else { return }
      runJob(0)
    }
    broken("there is an end to what a peer's bytes cause")
  }

  func execute(_ task: @escaping @Sendable () -> Void) {
    loop.execute { [self] in onLoop(task) }
  }

  func scheduleTask<T>(
    deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T
  ) -> Scheduled<T> {
    counted(loop.scheduleTask(deadline: deadline) { [self] in try onLoop(task) })
  }

  func scheduleTask<T>(
    in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T
  ) -> Scheduled<T> {
    counted(loop.scheduleTask(in: delay) { [self] in try onLoop(task) })
  }

  private func counted<T>(_ scheduled: Scheduled<T>) -> Scheduled<T> {
    state.timers += 1
    scheduled.futureResult.whenComplete { [state] _ in state.timers -= 1 }
    return scheduled
  }

  func preconditionInEventLoop(file: StaticString, line: UInt) {
    expect(inEventLoop, "\(file):\(line) runs on the event loop")
  }

  func shutdownGracefully(
    queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void
  ) {
    callback(nil)
  }
}
