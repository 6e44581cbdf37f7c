import Synchronization

/// The host of a database URL that worked last, shared by all connections of a configuration.
final class HostPreference: Sendable {
  private let index = Atomic(0)

  /// Returns the order in which to try `count` hosts: the one that worked last, and those after it.
  func order(of count: Int) -> [Int] {
    let first = index.load(ordering: .relaxed)
    guard first < count else { return Array(0..<count) }
    return Array(first..<count) + Array(0..<first)
  }

  /// Records that a host has worked.
  func worked(_ host: Int) { index.store(host, ordering: .relaxed) }
}
