/// Who has the connection alone; told apart by identity.
final class Lease: Sendable {
  typealias ID = ObjectIdentifier

  var id: ID { ObjectIdentifier(self) }
}

/// What is to be sent when its turn comes: first come, first served, but that the holder of the
/// connection, while there is one, is the only one served.
struct Backlog {
  private var general: [Request] = []
  private var leased: [Request] = []
  private(set) var holder: Lease?

  var isEmpty: Bool { general.isEmpty && leased.isEmpty }
  var leasedCount: Int { leased.count }

  /// Adds a request; false if it is of one who does not hold the connection, or not any longer.
  mutating func append(_ request: Request) -> Bool {
    if let lease = request.lease {
      guard holder?.id == lease else { return false }
      leased.append(request)
    } else {
      general.append(request)
    }
    return true
  }

  /// Puts a request back that was sent in vain, ahead of the others.
  mutating func putBack(_ request: Request) {
    general.insert(request, at: 0)
  }

  /// The request whose turn it is.
  var next: Request? { holder == nil ? general.first : leased.first }

  /// Takes ``next`` out.
  mutating func removeNext() {
    if holder == nil { general.removeFirst() } else { leased.removeFirst() }
  }

  /// Takes a request out, wherever it stands.
  mutating func remove(_ cancellation: Cancellation) -> Request? {
    if let index = general.firstIndex(where: { $0.cancellation === cancellation }) {
      return general.remove(at: index)
    }
    if let index = leased.firstIndex(where: { $0.cancellation === cancellation }) {
      return leased.remove(at: index)
    }
    return nil
  }

  /// Gives the connection to one alone.
  mutating func grant(_ lease: Lease) {
    holder = lease
  }

  /// Takes the connection from its holder, and returns what he still had waiting.
  mutating func release() -> [Request] {
    defer {
      holder = nil
      leased = []
    }
    return leased
  }

  /// Takes everything out that is not the holder's.
  mutating func removeGeneral() -> [Request] {
    defer { general = [] }
    return general
  }
}
