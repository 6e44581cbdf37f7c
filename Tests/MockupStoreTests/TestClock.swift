import FoundationEssentials
import Synchronization

/// A clock that stands still until it is told otherwise.
final class TestClock: Sendable {
  private let seconds: Atomic<Int64>

  /// - Parameter text: In ISO 8601, as `2026-05-10T12:00:00Z`; whole seconds.
  init(_ text: String) throws {
    seconds = Atomic(try Self.parse(text))
  }

  var now: Date { Date(timeIntervalSince1970: Double(seconds.load(ordering: .relaxed))) }

  func set(_ text: String) throws {
    seconds.store(try Self.parse(text), ordering: .relaxed)
  }

  func advance(by count: Int64) {
    seconds.add(count, ordering: .relaxed)
  }

  private static func parse(_ text: String) throws -> Int64 {
    Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970)
  }
}
