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
