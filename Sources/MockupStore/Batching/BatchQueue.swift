internal import Postgres
internal import Synchronization

/// Gathers what many ask for, one by one, into batches.
///
/// While a batch is under way the next one gathers. What comes when none is goes at once, in a batch that
/// takes in whatever else has come by the time its connection turns to it. So nobody waits for a timer,
/// and a batch is as large as the load makes it.
///
/// One batch is under way at a time, so that those of one queue never wait for each other's locks.
final class BatchQueue<Item: Sendable, Answer: Sendable>: Sendable {
  /// What is under way, for whoever writes it.
  struct Batch: Sendable {
    fileprivate let queue: BatchQueue
    fileprivate let number: Int

    /// What is to be written, decided when first asked; empty where nobody wants it any more.
    var items: [Item] { queue.items(of: number) }

    /// Answers the batch, once: each item with its own answer, in order.
    func finish(_ result: Result<[Answer], PostgresError>) { queue.finish(number, result) }
  }

  /// Ends what is being written, if it can; the batch is finished all the same.
  typealias Cancellation = @Sendable () -> Void

  private let limits: BatchLimits
  private let room: WaitingRoom
  private let full: PostgresError
  private let joins: @Sendable (Item, Item) -> Bool
  private let write: @Sendable (Batch) -> Cancellation?
  private let state = Mutex(State())

  /// - Parameters:
  ///   - room: Where items wait, perhaps beside those of other queues; `nil`: a room of its own.
  ///   - joins: Whether an item may be in a batch that another one begins. Those that may not are not
  ///     overtaken by later ones that may begin a batch.
  ///   - write: Begins to write a batch, and returns what can cancel it, if anything can.
  init(
    limits: BatchLimits, room: WaitingRoom? = nil,
    joins: @escaping @Sendable (Item, Item) -> Bool = { _, _ in true },
    write: @escaping @Sendable (Batch) -> Cancellation?
  ) {
    self.limits = limits
    self.room = room ?? WaitingRoom(limit: limits.waiting)
    full = PostgresError(.queueFull, "\(limits.waiting) changes wait already.")
    self.joins = joins
    self.write = write
  }

  /// How many items wait for their batch.
  var waitingCount: Int { state.withLock { $0.waitingCount } }

  /// The same with those that were given up and are not forgotten yet.
  var waitingTickets: Int { state.withLock { $0.waiting.count } }

  /// Has an item written, and its answer handed to a completion, once, on whatever thread has it.
  ///
  /// - Returns: What gives the item up: its answer is ``PostgresError/Code/cancelled`` then, at once. An
  ///   item whose batch was not sent by then has no effect; one whose batch was may have it, and a batch
  ///   that nobody waits for any more is cancelled.
  /// - Throws: ``PostgresError/Code/queueFull`` where too many wait already.
  func submit(
    _ item: Item, completion: @escaping @Sendable (Result<Answer, PostgresError>) -> Void
  ) throws(PostgresError) -> @Sendable () -> Void {
    let ticket = Ticket(item, completion)
    switch enter(ticket) {
    case .refused: throw full
    case .waits: break
    case .begins(let batch): send(batch)
    }
    return { self.cancel(ticket) }
  }

  /// Writes an item in the next batch, and returns its answer. Cancelling the task cancels the item.
  func submit(_ item: Item) async throws(PostgresError) -> Answer {
    try await completion { completion throws(PostgresError) in
      try submit(item, completion: completion)
    }
  }
}

extension BatchQueue {
  fileprivate typealias Tickets = [Ticket<Item, Answer>]
  fileprivate typealias Completion = Ticket<Item, Answer>.Completion

  fileprivate struct State {
    /// In the order in which they came; some that were given up may still be among them.
    var waiting: Tickets = []
    /// How many of them were not.
    var waitingCount = 0
    var underWay: UnderWay?
    var lastNumber = 0
  }

  /// A batch, from when it is begun to when all of it is answered.
  fileprivate struct UnderWay {
    /// A new one for each time that something is sent.
    var number: Int
    /// What is sent; nil until that is decided.
    var tickets: Tickets?
    /// How many of them somebody still waits for.
    var waitedFor = 0
    /// How often they were sent and lost against others.
    var attempts = 1
    /// The other parts of a batch that failed as a whole.
    var parts: [Tickets] = []
    var cancellation: Cancellation?
  }

  private enum Entry {
    case refused
    case waits
    /// No batch is under way: now one is.
    case begins(Batch)
  }

  private func enter(_ ticket: Ticket<Item, Answer>) -> Entry {
    guard room.enter() else { return .refused }
    return state.withLock { state in
      state.waiting.append(ticket)
      state.waitingCount += 1
      return state.underWay == nil ? .begins(begin(&state)) : .waits
    }
  }

  private func cancel(_ ticket: Ticket<Item, Answer>) {
    let (completion, cancellation) = state.withLock { state -> (Completion?, Cancellation?) in
      guard let completion = ticket.completion else { return (nil, nil) }
      ticket.completion = nil
      guard let batch = ticket.batch else {
        forgetWaiting(&state)
        return (completion, nil)
      }
      // It may be in a part that has yet to be sent.
      guard batch == state.underWay?.number else { return (completion, nil) }
      state.underWay?.waitedFor -= 1
      return (completion, state.underWay?.waitedFor == 0 ? state.underWay?.cancellation : nil)
    }
    completion?(.failure(PostgresError(.cancelled, "The task was cancelled.")))
    cancellation?()
  }

  /// One of those that wait was given up. They go when they are the most, so that those who ask and give
  /// up without end, while a batch takes long, take no room either.
  private func forgetWaiting(_ state: inout State) {
    state.waitingCount -= 1
    room.leave(1)
    if state.waiting.count > 2 * state.waitingCount + Self.mostGivenUp {
      state.waiting.removeAll { $0.completion == nil }
    }
  }

  private static var mostGivenUp: Int { 64 }

  /// Begins a batch, of what has gathered by the time it is asked for.
  private func begin(_ state: inout State) -> Batch {
    state.lastNumber += 1
    state.underWay = UnderWay(number: state.lastNumber)
    return Batch(queue: self, number: state.lastNumber)
  }

  private func send(_ batch: Batch) {
    let cancellation = write(batch)
    let isUnwanted = state.withLock { state in
      // It may be answered by now, and another one under way.
      guard let underWay = state.underWay, underWay.number == batch.number else { return false }
      state.underWay?.cancellation = cancellation
      return underWay.tickets != nil && underWay.waitedFor == 0
    }
    if isUnwanted { cancellation?() }
  }

  private func items(of number: Int) -> [Item] {
    state.withLock { state in
      guard let underWay = state.underWay, underWay.number == number else { return [] }
      let tickets = underWay.tickets ?? takeNext(&state)
      return tickets.map(\.item)
    }
  }

  /// Takes the next batch out of those that wait.
  private func takeNext(_ state: inout State) -> Tickets {
    var batch: Tickets = []
    var rest: Tickets = []
    for ticket in state.waiting where ticket.completion != nil {
      let isWelcome =
        batch.count < limits.batch && (batch.first.map { joins($0.item, ticket.item) } ?? true)
      if isWelcome { batch.append(ticket) } else { rest.append(ticket) }
    }
    state.waiting = rest
    state.waitingCount = rest.count
    room.leave(batch.count)
    put(batch, &state)
    return batch
  }

  /// Decides that these are what is under way.
  private func put(_ tickets: Tickets, _ state: inout State) {
    for ticket in tickets { ticket.batch = state.underWay?.number }
    state.underWay?.tickets = tickets
    state.underWay?.waitedFor = tickets.count
  }

  private func finish(_ number: Int, _ result: Result<[Answer], PostgresError>) {
    let (answered, next) = state.withLock { state -> (Answered, Batch?) in
      guard var underWay = state.underWay, underWay.number == number else { return ([], nil) }
      guard let tickets = underWay.tickets else {
        // Without a connection nothing was asked for: who waits is told so, and decides for himself.
        let all = state.waiting
        state.waiting = []
        room.leave(state.waitingCount)
        state.waitingCount = 0
        state.underWay = nil
        return (answers(to: all, result), nil)
      }
      var answered: Answered = []
      switch result {
      case .failure(let error)
      where error.lostAgainstAnother && underWay.attempts < maximumAttempts:
        underWay.attempts += 1
        underWay.parts.append(tickets)
      case .failure(let error) where error.mayBeOfOneItem && tickets.count > 1:
        // Nothing of it was written: the halves tell whose fault it is.
        let half = tickets.count / 2
        underWay.attempts = 1
        underWay.parts += [Array(tickets[half...]), Array(tickets[..<half])]
      default:
        underWay.attempts = 1
        answered = answers(to: tickets, result)
      }
      return (answered, beginNext(after: underWay, &state))
    }
    // First, so that the database is not kept waiting.
    if let next { send(next) }
    for (completion, answer) in answered { completion(answer) }
  }

  private typealias Answered = [(Completion, Result<Answer, PostgresError>)]

  /// Begins what is to be sent after a batch: what is left of it, or what has gathered meanwhile.
  private func beginNext(after underWay: UnderWay, _ state: inout State) -> Batch? {
    var parts = underWay.parts
    while let part = parts.popLast() {
      let tickets = part.filter { $0.completion != nil }
      guard !tickets.isEmpty else { continue }
      let batch = begin(&state)
      put(tickets, &state)
      state.underWay?.attempts = underWay.attempts
      state.underWay?.parts = parts
      return batch
    }
    state.underWay = nil
    return state.waitingCount > 0 ? begin(&state) : nil
  }

  private func answers(
    to tickets: Tickets, _ result: Result<[Answer], PostgresError>
  ) -> Answered {
    if case .success(let answers) = result {
      precondition(answers.count == tickets.count, "each item has an answer")
    }
    return tickets.enumerated().compactMap { index, ticket in
      guard let completion = ticket.completion else { return nil }
      ticket.completion = nil
      return (completion, result.map { $0[index] })
    }
  }
}

/// Somebody who waits for an item.
// Sendable because all but the item is only touched under its queue's lock.
private final class Ticket<Item: Sendable, Answer: Sendable>: @unchecked Sendable {
  typealias Completion = @Sendable (Result<Answer, PostgresError>) -> Void

  let item: Item
  /// Nil once it is answered.
  var completion: Completion?
  /// The number of the batch that it was last in; nil while it waits.
  var batch: Int?

  init(_ item: Item, _ completion: @escaping Completion) {
    self.item = item
    self.completion = completion
  }
}
