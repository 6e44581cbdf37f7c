internal import Glibc
internal import NIOConcurrencyHelpers
internal import NIOCore

/// The objects that the connections of one event loop share.
struct ServerLoop: Sendable {
  let eventLoop: any EventLoop
  let executor: EventLoopTaskExecutor
  let readQueue: ReadQueue
  let busyPoll: BusyPoll
  /// The methods, in a table of the event loop's own.
  ///
  /// Each call counts references to the method's objects. If event loops shared them, their
  /// processors would wait for each other.
  let methods: MethodTable
  /// Outcomes of deferred calls, on the way to their connections.
  let outcomes: LoopInbox<DeferredOutcome>

  init(_ eventLoop: any EventLoop, _ server: ServerParts) {
    self.eventLoop = eventLoop
    executor = EventLoopTaskExecutor(eventLoop)
    readQueue = ReadQueue(eventLoop: eventLoop)
    busyPoll = BusyPoll(eventLoop: eventLoop, time: TimeAmount(server.limits.busyPollTime))
    methods = MethodTable(server.services, interceptors: server.interceptors)
    outcomes = LoopInbox(eventLoop) { $0.deliver() }
  }
}

/// A queue of items that other threads pass to an event loop.
///
/// Items that are appended together wake the event loop once.
final class LoopInbox<Item: Sendable>: Sendable {
  private let eventLoop: any EventLoop
  private let handle: @Sendable (Item) -> Void
  private let items = NIOLockedValueBox<[Item]>([])

  /// Creates a queue.
  ///
  /// - Parameters:
  ///   - eventLoop: The event loop that handles the items.
  ///   - handle: Handles one item, on the event loop.
  init(_ eventLoop: any EventLoop, handle: @escaping @Sendable (Item) -> Void) {
    self.eventLoop = eventLoop
    self.handle = handle
  }

  func append(_ item: Item) {
    let isFirst = items.withLockedValue { items in
      items.append(item)
      return items.count == 1
    }
    if isFirst { eventLoop.execute { self.handleAll() } }
  }

  private func handleAll() {
    let items = items.withLockedValue { items in
      defer { items = [] }
      return items
    }
    for item in items { handle(item) }
  }
}

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

/// Polls the socket of a peer that was just answered, before its event loop sleeps.
///
/// Waking a thread takes longer than answering a short call. A peer that calls again at once is
/// therefore served in half the time if the event loop is still awake. Other connections of the
/// event loop wait during a poll, so only a connection that was also served last is polled.
final class BusyPoll: Sendable {
  /// A Boolean value that indicates whether polling is enabled.
  let isEnabled: Bool
  private let time: TimeAmount
  /// The connection that was read last.
  private let last: NIOLoopBoundBox<ObjectIdentifier?>

  /// Creates the poll of an event loop.
  ///
  /// - Parameters:
  ///   - eventLoop: The event loop whose connections are polled.
  ///   - time: The maximum duration of a poll. Zero disables polling.
  ///   - processors: The number of processors. A single one disables polling.
  init(eventLoop: any EventLoop, time: TimeAmount, processors: Int = System.coreCount) {
    self.time = time
    // On a single processor, the peer cannot send while this thread polls.
    isEnabled = time > .zero && processors > 1
    last = .makeBoxSendingValue(nil, eventLoop: eventLoop)
  }

  /// Records that a connection was read.
  ///
  /// - Returns: True if no other connection was read since this one was read last.
  func wasRead(_ connection: ReadScheduler) -> Bool {
    let connection = ObjectIdentifier(connection)
    let isAlone = last.value == connection
    if !isAlone { last.value = connection }
    return isAlone
  }

  /// Polls a connected socket for the configured time.
  ///
  /// - Returns: True if the socket has input, was closed by the peer, or has failed.
  func wait(for socket: Int32) -> Bool {
    let end = NIODeadline.now() + time
    var request = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    repeat {
      if unsafe poll(&request, 1, 0) != 0 { return true }
    } while .now() < end
    return false
  }
}

/// An exponential backoff of polling, counted in responses.
///
/// Each poll that finds nothing doubles the number of responses after which the server does not
/// poll. A poll that finds input resets it.
struct PollPause {
  private var left = 0
  private var length = 0

  /// Counts a response.
  ///
  /// - Returns: True if the server may poll.
  mutating func isOver() -> Bool {
    guard left > 0 else { return true }
    left -= 1
    return false
  }

  /// Records whether a poll found input, which sets the length of the next pause.
  mutating func recordPoll(foundInput: Bool) {
    length = foundInput ? 0 : min(max(2 * length, 1), Self.maxLength)
    left = length
  }

  /// The maximum number of responses after which the server does not poll.
  private static let maxLength = 64
}
