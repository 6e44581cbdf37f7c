import CFuzzing
import Dispatch
import NIOCore
import NIOEmbedded

/// The event loop and the task pool of a run, both on one thread.
///
/// Each of them runs only when the fuzzer's input says so. `inEventLoop` is true only within a
/// closure that runs on the loop, although the thread is always the same.
final class SteppedEventLoop: EventLoop {
  let loop = EmbeddedEventLoop()
  private let state = State()

  private final class State: @unchecked Sendable {
    // Unchecked: a single thread runs everything.
    var isOnLoop = false
    var timers = 0
  }

  /// The number of timers that have neither fired nor been cancelled.
  var timers: Int { state.timers }

  var inEventLoop: Bool { state.isOnLoop }

  var now: NIODeadline { loop.now }

  /// Runs a closure on the event loop.
  func onLoop<Value>(_ body: () throws -> Value) rethrows -> Value {
    let before = state.isOnLoop
    state.isOnLoop = true
    defer { state.isOnLoop = before }
    return try body()
  }

  /// Runs one tick of the event loop: the tasks that wait for it.
  func tick() { onLoop { loop.run() } }

  func advance(_ amount: TimeAmount) { onLoop { loop.advanceTime(by: amount) } }

  /// Runs one of the jobs that wait for the pool, if there is any: the one at `index`, modulo their
  /// number.
  func runJob(_ index: Int) {
    let waiting = cfuzzing_waiting_jobs()
    if waiting > 0 { cfuzzing_run_job(index % waiting) }
  }

  /// Runs the event loop and the pool until nothing waits.
  func runUntilQuiet() {
    for _ in 0..<100_000 {
      tick()
      guard cfuzzing_waiting_jobs() > 0 else { return }
      runJob(0)
    }
    violated("the input causes a limited amount of work")
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
