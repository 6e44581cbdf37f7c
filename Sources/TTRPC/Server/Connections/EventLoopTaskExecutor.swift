internal import NIOCore

/// A task executor that runs unary handlers on the event loop of their connection.
///
/// A call whose handler does not suspend is answered without a change of thread.
final class EventLoopTaskExecutor: TaskExecutor {
  private let inbox: LoopInbox<Job>

  private struct Job: Sendable {
    let job: UnownedJob
    let executor: EventLoopTaskExecutor
  }

  init(_ eventLoop: any EventLoop) {
    inbox = LoopInbox(eventLoop) { job in
      unsafe job.job.runSynchronously(on: job.executor.asUnownedTaskExecutor())
    }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    inbox.append(Job(job: UnownedJob(job), executor: self))
  }
}
