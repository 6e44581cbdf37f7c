public import NIOCore
internal import NIOEmbedded

/// A clock that only the test advances.
public struct ManualTime: Sendable {
  private let loop = NIOAsyncTestingEventLoop()

  /// The event loop whose scheduled tasks become due as this clock advances.
  public var eventLoop: any EventLoop { loop }

  /// Runs a closure with a new clock.
  public static func with<Value>(_ body: (ManualTime) async throws -> Value) async throws -> Value {
    let time = ManualTime()
    // The loop is leaked, and not shut down: otherwise NIO traps if a task is cancelled afterwards.
    _ = unsafe Unmanaged.passRetained(time.loop)
    return try await body(time)
  }

  /// Advances the clock, and runs the tasks that become due.
  public func advance(by duration: Duration) async {
    await loop.advanceTime(by: .nanoseconds(Int64(duration / .nanoseconds(1))))
  }
}
