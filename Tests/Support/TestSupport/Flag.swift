internal import Synchronization

/// A flag that any task can raise once.
public final class Flag: Sendable {
  private let raised = Atomic(false)

  /// Creates a flag that is not raised.
  public init() {}

  /// True if the flag has been raised.
  public var isRaised: Bool { raised.load(ordering: .acquiring) }

  /// Raises the flag.
  public func raise() { raised.store(true, ordering: .releasing) }
}
