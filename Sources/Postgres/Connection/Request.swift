import Synchronization

/// A request to a connection, with the completion that receives its result.
final class Request: Sendable {
  enum Work: Sendable {
    case statement(Statement, Parameters)
    /// A statement that is created when it is sent; nil if all of its callers have cancelled.
    case deferred(@Sendable () -> (Statement, Parameters)?)
    /// Several statements in the simple protocol; requires a lease.
    case script(String)
    /// Exclusive use of the connection.
    case lease(Lease)
  }

  /// The request's role in a transaction, which decides whether its effect is known after the
  /// connection was lost.
  enum Effect: Sendable {
    /// The statement commits by itself: the effect is unknown.
    case autonomous
    /// The statement is part of a transaction that can no longer commit: no effect.
    case transactional
    /// A BEGIN or ROLLBACK: no effect; never rejected because of a full queue.
    case boundary
    /// A COMMIT: the effect is unknown.
    case commit
  }

  let work: Work
  let effect: Effect
  /// The lease that the request belongs to; nil if it needs none.
  let lease: Lease.ID?
  let cancellation: Cancellation
  /// True if the request changes nothing, so that it may be cancelled after it was sent.
  let isReadOnly: Bool
  private let completion: @Sendable (Result<LibpqResult?, PostgresError>) -> Void

  init(
    _ work: Work,
    effect: Effect = .autonomous,
    lease: Lease.ID? = nil,
    cancellation: Cancellation = Cancellation(),
    isReadOnly: Bool? = nil,
    completion: @escaping @Sendable (Result<LibpqResult?, PostgresError>) -> Void
  ) {
    self.work = work
    self.effect = effect
    self.lease = lease
    self.cancellation = cancellation
    self.completion = completion
    self.isReadOnly =
      if let isReadOnly {
        isReadOnly
      } else if case .statement(let statement, _) = work {
        statement.isReadOnly && (effect == .autonomous || effect == .transactional)
      } else {
        false
      }
  }

  /// True for a caller's statement; false for transaction control such as BEGIN or COMMIT.
  var isWork: Bool { effect == .autonomous || effect == .transactional }

  /// Returns the request to send, with its deferred statement created; nil if all of its callers
  /// have cancelled.
  func resolved() -> Request? {
    guard case .deferred(let make) = work else { return self }
    guard let (statement, parameters) = make() else { return nil }
    return Request(
      .statement(statement, parameters), effect: effect, lease: lease, cancellation: cancellation,
      isReadOnly: isReadOnly, completion: completion)
  }

  /// Completes the request; called exactly once, on the connection's thread.
  func complete(_ result: Result<LibpqResult?, PostgresError>) {
    completion(result)
  }
}

extension Request: Equatable {
  static func == (left: Request, right: Request) -> Bool { left === right }
}

/// The handle by which a cancelled task identifies its request.
final class Cancellation: Sendable {
  private let flag = Atomic(false)

  var isRequested: Bool { flag.load(ordering: .acquiring) }

  func request() { flag.store(true, ordering: .releasing) }
}

/// A thread-safe, bounded count of the requests that are pending on a connection.
final class Admission: Sendable {
  private let limit: Int
  private let pending = Atomic(0)

  init(limit: Int) {
    self.limit = limit
  }

  /// The number of requests that are queued or in flight.
  var count: Int { pending.load(ordering: .relaxed) }

  /// Counts a new request.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/queueFull`` if the limit is reached.
  func enter() throws(PostgresError) {
    let (before, _) = pending.add(1, ordering: .relaxed)
    if before < limit { return }
    leave()
    throw PostgresError(.queueFull, "the connection already has \(limit) pending statements")
  }

  /// Removes a completed request from the count.
  func leave() { pending.subtract(1, ordering: .relaxed) }
}

/// The right to use a connection exclusively; leases are compared by identity.
final class Lease: Sendable {
  typealias ID = ObjectIdentifier

  var id: ID { ObjectIdentifier(self) }
}

/// The requests that wait to be sent, in FIFO order; while a lease is held, only its holder's
/// requests are sent.
struct Backlog {
  private var general: [Request] = []
  private var leased: [Request] = []
  private(set) var holder: Lease?

  var isEmpty: Bool { general.isEmpty && leased.isEmpty }
  var leasedCount: Int { leased.count }

  /// Adds a request; returns false if it has a lease that does not hold the connection.
  mutating func append(_ request: Request) -> Bool {
    if let lease = request.lease {
      guard holder?.id == lease else { return false }
      leased.append(request)
    } else {
      general.append(request)
    }
    return true
  }

  /// Inserts a request that must be retried at the front of the queue.
  mutating func putBack(_ request: Request) {
    general.insert(request, at: 0)
  }

  /// The request to send next.
  var next: Request? { holder == nil ? general.first : leased.first }

  /// Removes ``next`` from the queue.
  mutating func removeNext() {
    if holder == nil { general.removeFirst() } else { leased.removeFirst() }
  }

  /// Removes and returns the request with this cancellation; nil if it is not queued.
  mutating func remove(_ cancellation: Cancellation) -> Request? {
    if let index = general.firstIndex(where: { $0.cancellation === cancellation }) {
      return general.remove(at: index)
    }
    if let index = leased.firstIndex(where: { $0.cancellation === cancellation }) {
      return leased.remove(at: index)
    }
    return nil
  }

  /// Gives the connection exclusively to a lease.
  mutating func grant(_ lease: Lease) {
    holder = lease
  }

  /// Takes the connection from its holder and returns the holder's waiting requests.
  mutating func release() -> [Request] {
    defer {
      holder = nil
      leased = []
    }
    return leased
  }

  /// Removes and returns the requests that have no lease.
  mutating func removeGeneral() -> [Request] {
    defer { general = [] }
    return general
  }
}
