internal import Synchronization

/// A reference that any thread may set once, and that never changes afterwards.
///
/// `AtomicLazyReference` of the standard library does the same, but its functions are not
/// specialized for the type of the object (as of Swift 6.3): two calls of them took several percent
/// of the time of a health check.
@safe struct OnceReference<Object: AnyObject & Sendable>: ~Copyable, Sendable {
  private let reference = unsafe Atomic<Unmanaged<Object>?>(nil)

  deinit {
    unsafe reference.load(ordering: .acquiring)?.release()
  }

  /// The object, or `nil` if it has not been set.
  var object: Object? {
    unsafe reference.load(ordering: .acquiring)?.takeUnretainedValue()
  }

  /// Sets the object, unless one was set before.
  ///
  /// - Returns: The object that is set.
  @discardableResult
  func setIfNil(_ object: Object) -> Object {
    let new = unsafe Unmanaged.passRetained(object)
    let (_, old) = unsafe reference.compareExchange(
      expected: nil, desired: new, ordering: .acquiringAndReleasing)
    guard let old = unsafe old else { return object }
    unsafe new.release()
    return unsafe old.takeUnretainedValue()
  }
}
