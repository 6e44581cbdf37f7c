internal import Postgres
internal import NIOConcurrencyHelpers

/// A queue that coalesces single items into batches.
///
/// Items that arrive while a batch is in flight wait for the next batch. If no batch is in flight,
/// an item starts one, which takes all items that have arrived by the time its connection sends it.
/// No item waits for a timer, and the load determines the size of the batches.
///
/// One batch is in flight at a time, so that batches of one queue never wait for each other's
/// locks. For the locks of other sessions see ``Locks-swift.enum``.
final class BatchQueue<Item: Sendable, Answer: Sendable>: Sendable {
  /// A handle to the batch in flight, for the code that writes it.
  struct Batch: Sendable {
    fileprivate let queue: BatchQueue
    fileprivate let number: Int

    /// The items to write, which are chosen when this property is first read.
    ///
    /// It is empty if all items have been cancelled.
    var items: [Item] { queue.items(of: number) }

    /// Finishes the batch, with an answer for each item in order, or with an error.
    ///
    /// Only the first call has an effect.
    func finish(_ result: Result<[Answer], PostgresError>) { queue.finish(number, result) }
  }

  /// Requests the cancellation of a write; the write must call ``Batch/finish(_:)`` in any case.
  typealias Cancellation = @Sendable () -> Void

  private let limits: BatchLimits
  private let capacity: QueueCapacity
  private let full: PostgresError
  private let joins: @Sendable (Item, Item) -> Bool
  let locks: Locks
  private let onIdle: @Sendable () -> Void
  private let write: @Sendable (Batch) -> Cancellation?
  private let observer: (queue: WriteQueue, observer: any ChangeObserver)?
  let state = NIOLockedValueBox(State())

  /// - Parameters:
  ///   - capacity: The capacity for waiting items, which several queues can share; nil for a
  ///     capacity of its own.
  ///   - observer: The observer of the batches, with the name of the queue; nil for none.
  ///   - joins: Returns true if the batch that starts with the first item may also contain the
  ///     second. Other items keep their order, and wait for a later batch.
  ///   - locks: The treatment of locked items.
  ///   - onIdle: Called when no batch is in flight any more.
  ///   - write: Starts to write a batch, and returns its cancellation handler, if it has one.
  init(
    limits: BatchLimits, capacity: QueueCapacity? = nil,
    observer: (queue: WriteQueue, observer: any ChangeObserver)? = nil,
    joins: @escaping @Sendable (Item, Item) -> Bool = { _, _ in true },
    locks: Locks, onIdle: @escaping @Sendable () -> Void = {},
    write: @escaping @Sendable (Batch) -> Cancellation?
  ) {
    self.limits = limits
    self.capacity = capacity ?? QueueCapacity(limit: limits.waiting)
    full = PostgresError(
      .queueFull, "the write queue is full: \(self.capacity.limit) changes are waiting")
    self.observer = observer
    self.joins = joins
    self.locks = locks
    self.onIdle = onIdle
    self.write = write
  }

  /// The number of items that wait for a batch.
  var waitingCount: Int { state.withLockedValue { $0.waitingCount } }

  /// The number of waiting tickets, including cancelled ones that are not removed yet.
  var waitingTickets: Int { state.withLockedValue { $0.waiting.count } }

  /// Submits an item, and passes its answer to a completion.
  ///
  /// The completion runs once, on any thread.
  ///
  /// - Returns: A cancellation handler. It completes the item immediately with
  ///   ``PostgresError/Code/cancelled``. An item that is cancelled before its batch is sent has no
  ///   effect; an item that is cancelled later may have one. A batch is cancelled when all of its
  ///   items are cancelled.
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/queueFull`` if the capacity is used up.
  func submit(
    _ item: Item, completion: @escaping @Sendable (Result<Answer, PostgresError>) -> Void
  ) throws(PostgresError) -> @Sendable () -> Void {
    let ticket = Ticket(item, in: self, completion)
    switch enter(ticket) {
    case .refused: throw full
    case .waits: break
    case .begins(let batch): send(batch)
    }
    return { ticket.queue.cancel(ticket) }
  }

  /// Writes an item in the next batch, and returns its answer.
  ///
  /// Cancelling the task cancels the item.
  func submit(_ item: Item) async throws(PostgresError) -> Answer {
    try await completion { completion throws(PostgresError) in
      try submit(item, completion: completion)
    }
  }
}

extension BatchQueue {
  typealias Tickets = [Ticket<Item, Answer>]

  struct State {
    /// The waiting tickets in the order of arrival, including cancelled ones.
    var waiting: Tickets = []
    /// The number of waiting tickets that are not cancelled.
    var waitingCount = 0
    var inFlight: InFlight?
    var lastNumber = 0
  }

  /// A batch from its start until all of its items have answers.
  struct InFlight {
    /// The number of the write, which is new for each attempt and each part.
    var number: Int
    /// The tickets that are sent, or nil until they are chosen.
    var tickets: Tickets?
    /// The number of these tickets that are not cancelled.
    var activeCount = 0
    /// The number of attempts to write these tickets, this one included.
    var attempts = 1
    /// The number of attempts that met a lock, if the queue waits for locks.
    var lockedAttempts = 0
    /// The time when the tickets were sent.
    var sentAt: ContinuousClock.Instant?
    /// The parts of the batch that are still to be sent, the next one last.
    var parts: [Tickets] = []
    var cancellation: Cancellation?
  }

  private enum Entry {
    case refused
    case waits
    /// No batch was in flight, so the item starts one.
    case begins(Batch)
  }

  private func enter(_ ticket: Ticket<Item, Answer>) -> Entry {
    guard capacity.takeSlot() else { return .refused }
    return state.withLockedValue { state in
      state.waiting.append(ticket)
      state.waitingCount += 1
      return state.inFlight == nil ? .begins(begin(&state)) : .waits
    }
  }

  fileprivate func cancel(_ ticket: Ticket<Item, Answer>) {
    let (isTaken, cancellation) = state.withLockedValue { state -> (Bool, Cancellation?) in
      guard ticket.take() else { return (false, nil) }
      if ticket.isDiverted { return (true, ticket.cancelDiverted) }
      guard let batch = ticket.batch else {
        countCancelled(&state)
        return (true, nil)
      }
      // The ticket may be in a part of the batch that is not sent yet.
      guard batch == state.inFlight?.number else { return (true, nil) }
      state.inFlight?.activeCount -= 1
      return (true, state.inFlight?.activeCount == 0 ? state.inFlight?.cancellation : nil)
    }
    if isTaken { ticket.completion(.failure(PostgresError(.cancelled, "the task was cancelled"))) }
    cancellation?()
  }

  /// Counts a waiting ticket as cancelled, and removes cancelled tickets if most tickets are.
  ///
  /// This bounds the memory of callers that submit and cancel repeatedly while a batch is in
  /// flight.
  private func countCancelled(_ state: inout State) {
    state.waitingCount -= 1
    capacity.freeSlots(1)
    if state.waiting.count > 2 * state.waitingCount + Self.minRemovedCount {
      state.waiting.removeAll(where: \.isTaken)
    }
  }

  private static var minRemovedCount: Int { 64 }

  /// Starts a batch whose tickets are chosen later, when its items are read.
  private func begin(_ state: inout State) -> Batch {
    state.lastNumber += 1
    state.inFlight = InFlight(number: state.lastNumber)
    return Batch(queue: self, number: state.lastNumber)
  }

  private func send(_ batch: Batch) {
    let cancellation = write(batch)
    let isUnwanted = state.withLockedValue { state in
      // The batch may be finished already, and the next one in flight.
      guard let inFlight = state.inFlight, inFlight.number == batch.number else { return false }
      state.inFlight?.cancellation = cancellation
      return inFlight.tickets != nil && inFlight.activeCount == 0
    }
    if isUnwanted { cancellation?() }
  }

  private func items(of number: Int) -> [Item] {
    var locked: Tickets = []
    let items = state.withLockedValue { state -> [Item] in
      guard let inFlight = state.inFlight, inFlight.number == number else { return [] }
      let tickets = inFlight.tickets ?? takeNext(&state, &locked)
      return tickets.map(\.item)
    }
    divert(locked)
    return items
  }

  /// Takes the tickets of the next batch, and those that are known to be locked, out of the queue.
  private func takeNext(_ state: inout State, _ locked: inout Tickets) -> Tickets {
    var batch: Tickets = []
    batch.reserveCapacity(min(state.waiting.count, limits.batch))
    var rest: Tickets = []
    for ticket in state.waiting where !ticket.isTaken {
      if case .divert(let diversion) = locks, diversion.isLocked(ticket.item) {
        ticket.isDiverted = true
        locked.append(ticket)
        continue
      }
      let fits =
        batch.count < limits.batch && (batch.first.map { joins($0.item, ticket.item) } ?? true)
      if fits { batch.append(ticket) } else { rest.append(ticket) }
    }
    state.waiting = rest
    state.waitingCount = rest.count
    capacity.freeSlots(batch.count + locked.count)
    put(batch, &state)
    return batch
  }

  /// Sets the tickets of the batch in flight.
  private func put(_ tickets: Tickets, _ state: inout State) {
    if let observer, let first = tickets.first {
      let now = ContinuousClock.now
      state.inFlight?.sentAt = now
      observer.observer.batchWasSent(
        of: observer.queue, size: tickets.count,
        wait: first.submittedAt.duration(to: now))
    }
    for ticket in tickets { ticket.batch = state.inFlight?.number }
    state.inFlight?.tickets = tickets
    state.inFlight?.activeCount = tickets.count
  }

  private func finish(_ number: Int, _ result: Result<[Answer], PostgresError>) {
    let end = state.withLockedValue { state -> End in
      guard var inFlight = state.inFlight, inFlight.number == number else { return End() }
      guard let tickets = inFlight.tickets else {
        // The connection failed before it read the items. All waiting items get the error, and
        // their callers decide whether to retry.
        let all = state.waiting
        state.waiting = []
        capacity.freeSlots(state.waitingCount)
        state.waitingCount = 0
        state.inFlight = nil
        return End(answered: answers(to: all, result), isIdle: true)
      }
      if let observer, let sentAt = inFlight.sentAt {
        observer.observer.batchEnded(of: observer.queue, after: sentAt.duration(to: .now))
      }
      if case .failure(let error) = result, error.isLocked {
        return meetLock(error, tickets, inFlight, &state)
      }
      var answered = Answered()
      switch result {
      case .failure(let error)
      where error.isConflict && inFlight.attempts < maximumAttempts:
        inFlight.attempts += 1
        inFlight.parts.append(tickets)
      case .failure(let error) where error.mayBeDueToOneItem && tickets.count > 1:
        divide(tickets, &inFlight)
      default:
        inFlight.attempts = 1
        answered = answers(to: tickets, result)
      }
      return proceed(after: inFlight, &state, End(answered: answered))
    }
    perform(end)
  }

  /// The consequences of the end of a write.
  struct End {
    var answered = Answered()
    /// The tickets to divert.
    var locked: Tickets = []
    /// The batch in flight, in which the locked items are to be found.
    var examined: (number: Int, items: [Item])?
    var next: Batch?
    var isIdle = false
  }

  func perform(_ end: End) {
    // The next batch is sent before the completions run, so that the database does not wait for
    // them.
    if let next = end.next { send(next) }
    divert(end.locked)
    end.answered.complete()
    if let (number, items) = end.examined, case .divert(let diversion) = locks {
      diversion.find(items) { self.examined(number, $0) }
    }
    if end.isIdle { onIdle() }
  }

  /// Adds the halves of a batch, of which nothing was written, to the parts to be sent.
  func divide(_ tickets: Tickets, _ inFlight: inout InFlight) {
    let half = tickets.count / 2
    inFlight.attempts = 1
    inFlight.parts += [Array(tickets[half...]), Array(tickets[..<half])]
  }

  /// Tickets to complete, with the result of the write that included them.
  struct Answered {
    fileprivate var tickets: [(ticket: Ticket<Item, Answer>, index: Int)] = []
    fileprivate var result: Result<[Answer], PostgresError> = .success([])

    fileprivate func complete() {
      switch result {
      case .success(let answers):
        for (ticket, index) in tickets { ticket.completion(.success(answers[index])) }
      case .failure(let error):
        for (ticket, _) in tickets { ticket.completion(.failure(error)) }
      }
    }
  }

  func proceed(after inFlight: InFlight, _ state: inout State, _ end: End) -> End {
    var end = end
    end.next = beginNext(after: inFlight, &state)
    end.isIdle = end.next == nil
    return end
  }

  /// Starts the next write: the next part of the batch, or a batch of waiting items.
  private func beginNext(after inFlight: InFlight, _ state: inout State) -> Batch? {
    var parts = inFlight.parts
    while let part = parts.popLast() {
      let tickets = part.filter { !$0.isTaken }
      guard !tickets.isEmpty else { continue }
      let batch = begin(&state)
      put(tickets, &state)
      state.inFlight?.attempts = inFlight.attempts
      state.inFlight?.lockedAttempts = inFlight.lockedAttempts
      state.inFlight?.parts = parts
      return batch
    }
    state.inFlight = nil
    return state.waitingCount > 0 ? begin(&state) : nil
  }

  func answers(
    to tickets: Tickets, _ result: Result<[Answer], PostgresError>
  ) -> Answered {
    if case .success(let answers) = result {
      precondition(answers.count == tickets.count, "each item has an answer")
    }
    var answered = Answered(result: result)
    answered.tickets.reserveCapacity(tickets.count)
    for (index, ticket) in tickets.enumerated() where ticket.take() {
      answered.tickets.append((ticket, index))
    }
    return answered
  }
}

/// An item in the queue, with the completion that waits for its answer.
// Sendable because the mutable properties are only accessed under the queue's lock.
final class Ticket<Item: Sendable, Answer: Sendable>: @unchecked Sendable {
  typealias Completion = @Sendable (Result<Answer, PostgresError>) -> Void

  let item: Item
  // Here, so that a cancellation handler needs to capture only the ticket.
  let queue: BatchQueue<Item, Answer>
  let submittedAt = ContinuousClock.now
  // Not an optional, in which each access would allocate a function that converts its argument.
  let completion: Completion
  /// A Boolean value that indicates whether the completion has been called, or is about to be.
  private(set) var isTaken = false
  /// The number of the last write that included the item, or nil while it waits.
  var batch: Int?
  /// True if the item is in another queue.
  var isDiverted = false
  /// Cancels the item in the other queue.
  var cancelDiverted: (@Sendable () -> Void)?

  init(_ item: Item, in queue: BatchQueue<Item, Answer>, _ completion: @escaping Completion) {
    self.item = item
    self.queue = queue
    self.completion = completion
  }

  /// Takes the right to call the completion; returns false if it is already taken.
  func take() -> Bool {
    defer { isTaken = true }
    return !isTaken
  }
}
