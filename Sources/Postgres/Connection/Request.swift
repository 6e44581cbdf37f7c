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
