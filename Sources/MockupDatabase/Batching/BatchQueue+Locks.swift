internal import NIOConcurrencyHelpers
internal import Postgres

extension BatchQueue {
  /// The treatment of a batch that waited in vain for the lock of another session.
  enum Locks: Sendable {
    /// The locked items are moved to other queues, and the others are sent again.
    case divert(Diversion)
    /// The batch is sent again until it gets the lock, at most ``maximumLockedAttempts`` times.
    case wait
  }

  /// The functions that move locked items to other queues, so that other items do not wait for
  /// them.
  struct Diversion: Sendable {
    /// Returns true if the item is known to be locked.
    var isLocked: @Sendable (Item) -> Bool = { _ in false }
    /// Finds out which of some items are locked, and passes a Boolean for each, in order.
    ///
    /// If it finds none, the halves are sent separately.
    var find: @Sendable ([Item], _ completion: @escaping @Sendable ([Bool]) -> Void) -> Void = {
      items, completion in
      completion(items.map { _ in false })
    }
    /// Returns the queue for a locked item.
    var queue: @Sendable (Item) -> BatchQueue
  }
}

extension BatchQueue {
  /// Returns the consequences of a write that met a lock.
  func meetLock(
    _ error: PostgresError, _ tickets: Tickets, _ inFlight: InFlight, _ state: inout State
  ) -> End {
    var inFlight = inFlight
    var end = End()
    switch locks {
    case .divert where tickets.count > 1:
      return End(examined: (inFlight.number, tickets.map(\.item)))
    case .divert:
      end.locked = diverted(tickets)
    case .wait where inFlight.lockedAttempts < maximumLockedAttempts:
      inFlight.lockedAttempts += 1
      inFlight.parts.append(tickets)
    case .wait:
      inFlight.lockedAttempts = 0
      end.answered = answers(to: tickets, .failure(error))
    }
    return proceed(after: inFlight, &state, end)
  }

  /// Diverts the locked items of the batch in flight, and sends the others again.
  func examined(_ number: Int, _ isLocked: [Bool]) {
    let end = state.withLockedValue { state -> End in
      guard var inFlight = state.inFlight, inFlight.number == number,
        let tickets = inFlight.tickets
      else { return End() }
      let locked = zip(tickets, isLocked).filter(\.1).map(\.0)
      if locked.isEmpty {
        // The lock is gone or on another row, or the items are not examined.
        divide(tickets, &inFlight)
      } else {
        inFlight.parts.append(zip(tickets, isLocked).filter { !$1 }.map(\.0))
      }
      return proceed(after: inFlight, &state, End(locked: diverted(locked)))
    }
    perform(end)
  }

  /// Returns those tickets that are not cancelled, to be passed to ``divert(_:)``.
  private func diverted(_ tickets: Tickets) -> Tickets {
    let tickets = tickets.filter { !$0.isTaken }
    for ticket in tickets { ticket.isDiverted = true }
    return tickets
  }

  /// Moves tickets to other queues.
  func divert(_ tickets: Tickets) {
    guard case .divert(let diversion) = locks else { return }
    for ticket in tickets {
      do throws(PostgresError) {
        let cancel = try diversion.queue(ticket.item).submit(ticket.item) {
          if self.take(ticket) { ticket.completion($0) }
        }
        let isCancelled = state.withLockedValue { _ in
          ticket.cancelDiverted = cancel
          return ticket.isTaken
        }
        if isCancelled { cancel() }
      } catch {
        if take(ticket) { ticket.completion(.failure(error)) }
      }
    }
  }

  /// Takes the right to call the completion of a ticket.
  private func take(_ ticket: Ticket<Item, Answer>) -> Bool {
    state.withLockedValue { _ in ticket.take() }
  }
}
