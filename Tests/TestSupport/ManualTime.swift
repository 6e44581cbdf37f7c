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
    let result: Result<Value, any Error>
    do { result = .success(try await body(time)) } catch { result = .failure(error) }
    await time.loop.shutdownGracefully()
    return try result.get()
  }

  /// Lets time pass, and runs what becomes due.
  public func advance(by duration: Duration) async {
    await loop.advanceTime(by: .nanoseconds(Int64(duration / .nanoseconds(1))))
  }
}
