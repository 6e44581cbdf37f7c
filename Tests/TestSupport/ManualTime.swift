public import NIOCore
internal import NIOEmbedded

/// A time that stands still until the test moves it.
public struct ManualTime: Sendable {
  private let loop = NIOAsyncTestingEventLoop()

  /// The event loop whose tasks become due as this time passes.
  public var eventLoop: any EventLoop { loop }

  /// Runs a closure with a time of its own.
  public static func with<Value>(_ body: (ManualTime) async throws -> Value) async throws -> Value {
    let time = ManualTime()
    // It is neither shut down nor freed: a task that is cancelled after that traps in NIO, as a leak.
    _ = unsafe Unmanaged.passRetained(time.loop)
    return try await body(time)
  }

  /// Lets time pass, and runs what becomes due.
  public func advance(by duration: Duration) async {
    await loop.advanceTime(by: .nanoseconds(Int64(duration / .nanoseconds(1))))
  }
}
