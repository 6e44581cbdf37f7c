import CLinux
import Glibc
internal import NIOConcurrencyHelpers

/// A thread as an actor's executor: it runs the actor's jobs, calls the actor's tick function, and
/// sleeps in poll(2) until there are jobs or the socket is ready.
///
/// The thread ends when the executor is released, together with its actor.
final class ConnectionThread: SerialExecutor {
  /// The events that end a sleep; a wake-up ends every sleep.
  struct Wait: Sendable {
    var socket: Int32?
    var wantsRead = false
    var wantsWrite = false
    var deadline: ContinuousClock.Instant?
  }

  /// The operations that the socket is ready for.
  struct Readiness: Sendable {
    var canRead = false
    var canWrite = false
  }

  private let mailbox: Mailbox

  /// - Throws: ``PostgresError`` if no file descriptor can be created.
  init() throws(PostgresError) {
    mailbox = try Mailbox()
  }

  deinit {
    mailbox.stop()
  }

  /// Starts the thread, once; `tick` runs on it after every wake-up.
  ///
  /// - Throws: ``PostgresError`` if no thread can be created.
  func start(tick: @escaping @Sendable (Readiness) -> Wait) throws(PostgresError) {
    let body = ThreadBody(mailbox: mailbox, executor: self, tick: tick)
    var thread = pthread_t()
    let argument = unsafe Unmanaged.passRetained(body)
    guard unsafe pthread_create(&thread, nil, runThread, argument.toOpaque()) == 0 else {
      unsafe argument.release()
      throw PostgresError(.connectionUnavailable, "cannot create a thread for the connection")
    }
    pthread_detach(thread)
  }

  /// Ends the current sleep, or the next one, so that the tick function runs.
  func wake() { mailbox.wake() }

  func enqueue(_ job: consuming ExecutorJob) {
    mailbox.post(UnownedJob(job))
  }

  func checkIsolated() {
    precondition(mailbox.isOwnThread, "not on the connection's thread")
  }

  func isIsolatingCurrentContext() -> Bool? { mailbox.isOwnThread }
}

/// The state that the executor and its thread share.
private final class Mailbox: Sendable {
  private struct State {
    var jobs: [UnownedJob] = []
    var isSignalled = false
    var isStopped = false
    var thread: pthread_t?
  }

  let wakeup: Int32
  private let state = NIOLockedValueBox(State())

  init() throws(PostgresError) {
    wakeup = clinux_wakeup_open()
    guard wakeup >= 0 else {
      throw PostgresError(
        .connectionUnavailable, "cannot create a file descriptor for the connection")
    }
  }

  deinit {
    close(wakeup)
  }

  var isOwnThread: Bool {
    guard let thread = state.withLockedValue({ $0.thread }) else { return false }
    return pthread_equal(thread, pthread_self()) != 0
  }

  func adopt() { state.withLockedValue { $0.thread = pthread_self() } }

  func post(_ job: UnownedJob) { change { $0.jobs.append(job) } }

  func stop() { change { $0.isStopped = true } }

  func wake() { change { _ in } }

  /// Takes the queued jobs; returns nil when the thread must end.
  func take() -> [UnownedJob]? {
    state.withLockedValue { state in
      state.isSignalled = false
      defer { state.jobs = [] }
      return state.isStopped ? nil : state.jobs
    }
  }

  private func change(_ body: (inout State) -> Void) {
    let needsSignal = state.withLockedValue { state in
      body(&state)
      defer { state.isSignalled = true }
      return !state.isSignalled
    }
    if needsSignal { _ = clinux_wakeup_signal(wakeup) }
  }
}

/// The loop of the thread.
private final class ThreadBody {
  private let mailbox: Mailbox
  private weak var executor: ConnectionThread?
  private let tick: @Sendable (ConnectionThread.Readiness) -> ConnectionThread.Wait

  init(
    mailbox: Mailbox,
    executor: ConnectionThread,
    tick: @escaping @Sendable (ConnectionThread.Readiness) -> ConnectionThread.Wait
  ) {
    self.mailbox = mailbox
    self.executor = executor
    self.tick = tick
  }

  func run() {
    mailbox.adopt()
    var readiness = ConnectionThread.Readiness()
    while let jobs = mailbox.take() {
      // A job retains its actor, which retains the executor: without an executor there are no jobs.
      if let executor, !jobs.isEmpty {
        for job in jobs { unsafe job.runSynchronously(on: executor.asUnownedSerialExecutor()) }
      }
      readiness = sleep(tick(readiness))
    }
  }

  /// Sleeps until one of the events; a broken socket counts as ready, because using it reports why.
  private func sleep(_ wait: ConnectionThread.Wait) -> ConnectionThread.Readiness {
    let wanted = (wait.wantsRead ? POLLIN : 0) | (wait.wantsWrite ? POLLOUT : 0)
    var descriptors = [
      pollfd(fd: mailbox.wakeup, events: Int16(POLLIN), revents: 0),
      // poll(2) ignores a negative descriptor.
      pollfd(fd: wait.socket ?? -1, events: Int16(wanted), revents: 0),
    ]
    let count = unsafe poll(&descriptors, 2, wait.timeout)
    guard count > 0 else { return ConnectionThread.Readiness() }
    if descriptors[0].revents != 0 { clinux_wakeup_drain(mailbox.wakeup) }
    let events = descriptors[1].revents
    return ConnectionThread.Readiness(
      canRead: events & ~Int16(POLLOUT) != 0,
      canWrite: events & ~Int16(POLLIN) != 0
    )
  }
}

extension ConnectionThread.Wait {
  /// The timeout for poll(2): milliseconds until the deadline, rounded up; -1 for none.
  fileprivate var timeout: Int32 {
    guard let deadline else { return -1 }
    let left = deadline - .now
    guard left > .zero else { return 0 }
    let milliseconds = left / .milliseconds(1)
    return Int32(min(milliseconds.rounded(.up), 3_600_000))
  }
}

/// Runs a call that may block forever on a thread of its own; returns false if none can be created.
func startBlockingCall(_ call: @escaping @Sendable () -> Void) -> Bool {
  var thread = pthread_t()
  let argument = unsafe Unmanaged.passRetained(BlockingCall(call))
  guard unsafe pthread_create(&thread, nil, runBlockingCall, argument.toOpaque()) == 0 else {
    unsafe argument.release()
    return false
  }
  pthread_detach(thread)
  return true
}

private final class BlockingCall: Sendable {
  let call: @Sendable () -> Void

  init(_ call: @escaping @Sendable () -> Void) {
    self.call = call
  }
}

private func runBlockingCall(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let argument = unsafe argument {
    unsafe Unmanaged<BlockingCall>.fromOpaque(argument).takeRetainedValue().call()
  }
  return nil
}

private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let argument = unsafe argument {
    unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
  }
  return nil
}
