internal import NIOConcurrencyHelpers
internal import NIOCore

/// Runs unary calls on their connection's own event loop, so that a handler that has nothing to wait for
/// is answered without a change of thread.
final class EventLoopTaskExecutor: TaskExecutor {
  let eventLoop: any EventLoop
  private let jobs = NIOLockedValueBox<[UnownedJob]>([])

  init(_ eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let isFirst = jobs.withLockedValue { jobs in
      jobs.append(job)
      return jobs.count == 1
    }
    // The answers of a batch come together: the loop is woken, and asked to do something, once for all.
    if isFirst { eventLoop.execute { self.runJobs() } }
  }

  private func runJobs() {
    let jobs = jobs.withLockedValue { jobs in
      defer { jobs = [] }
      return jobs
    }
    for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}
