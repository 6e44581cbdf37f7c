import FoundationEssentials
import Synchronization

/// A clock that changes only when a test sets or advances it.
final class TestClock: Sendable {
  private let seconds: Atomic<Int64>

  /// Creates a clock that shows a time.
  ///
  /// - Parameter text: A time in ISO 8601 with whole seconds, such as `2026-05-10T12:00:00Z`.
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
