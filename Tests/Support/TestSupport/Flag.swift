internal import Synchronization

/// A flag that any task can set once, and that others wait for.
public final class Flag: Sendable {
  private let value = Atomic(false)

  /// Creates a flag that is not set.
  public init() {}

  /// True if the flag has been set.
  public var isSet: Bool { value.load(ordering: .acquiring) }

  /// Sets the flag.
  public func set() { value.store(true, ordering: .releasing) }

  /// Waits until the flag is set, for at most ``testTimeout``.
  ///
  /// - Throws: ``EventMissing`` after the time limit; `CancellationError`.
  public func wait(file: StaticString = #fileID, line: UInt = #line) async throws {
    try await eventually("the flag is set", file: file, line: line) { isSet }
  }
}
