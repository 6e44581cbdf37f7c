import Synchronization

/// One thing asked of a connection, on its way there and back.
final class Request: Sendable {
  enum Work: Sendable {
    case statement(Statement, Parameters)
    /// A statement that is made when its turn comes; nil where nobody wants it any more.
    case deferred(@Sendable () -> (Statement, Parameters)?)
    /// Several statements by the simple protocol; only with a lease.
    case script(String)
    /// To have the connection alone.
    case lease(Lease)
  }

  /// What is known of its effect when the connection breaks.
  enum Effect: Sendable {
    /// It commits by itself: nobody knows.
    case autonomous
    /// Its transaction can no longer commit: none.
    case transactional
    /// It begins a transaction, or rolls it back: none. It is never refused for want of room.
    case boundary
    /// It is the COMMIT: nobody knows.
    case commit
  }

  let work: Work
  let effect: Effect
  /// Whose it is, of those who may have the connection alone; nil for everyone's.
  let lease: Lease.ID?
  let cancellation: Cancellation
  private let completion: @Sendable (Result<LibpqResult?, PostgresError>) -> Void

  init(
    _ work: Work,
    effect: Effect = .autonomous,
    lease: Lease.ID? = nil,
    cancellation: Cancellation = Cancellation(),
    completion: @escaping @Sendable (Result<LibpqResult?, PostgresError>) -> Void
  ) {
    self.work = work
    self.effect = effect
    self.lease = lease
    self.cancellation = cancellation
    self.completion = completion
  }

  /// Whether it is work of a caller's, and not a bracket around it such as BEGIN or COMMIT.
  var isWork: Bool { effect == .autonomous || effect == .transactional }

  /// What is to be sent, now that its turn has come: what is deferred is made. Nil where nobody wants
  /// it any more.
  func made() -> Request? {
    guard case .deferred(let make) = work else { return self }
    guard let (statement, parameters) = make() else { return nil }
    return Request(
      .statement(statement, parameters), effect: effect, lease: lease, cancellation: cancellation,
      completion: completion)
  }

  /// Answers it; exactly once, on the connection's thread.
  func complete(_ result: Result<LibpqResult?, PostgresError>) {
    completion(result)
  }
}

extension Request: Equatable {
  static func == (left: Request, right: Request) -> Bool { left === right }
}

/// By which a task that is cancelled names its request.
final class Cancellation: Sendable {
  private let flag = Atomic(false)

  var isRequested: Bool { flag.load(ordering: .acquiring) }

  func request() { flag.store(true, ordering: .releasing) }
}
