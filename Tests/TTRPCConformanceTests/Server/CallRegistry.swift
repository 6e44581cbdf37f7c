import NIOConcurrencyHelpers
import TTRPC
import TestSupport

/// The registry of calls in flight and of released calls, by the keys that the cases choose.
final class CallRegistry: ServerInterceptor {
  private struct State {
    var running: [Int64: Int64] = [:]
    var released: Set<Int64> = []
  }

  private let state = NIOLockedValueBox(State())

  /// Returns the number of calls in flight with a key.
  func running(_ key: Int64) -> Int64 { state.withLockedValue { $0.running[key] ?? 0 } }

  func release(_ key: Int64) { state.withLockedValue { _ = $0.released.insert(key) } }

  func waitForRelease(_ key: Int64) async throws {
    try await eventually("\(key) is released") {
      state.withLockedValue { $0.released.contains(key) }
    }
  }

  /// True, because a call without metadata has no key and bypasses the interceptor.
  var needsMetadata: Bool { true }

  func intercept(
    _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    guard let key = context.metadata["k"].flatMap({ Int64($0) }) else {
      return try await next(context)
    }
    state.withLockedValue { $0.running[key, default: 0] += 1 }
    defer { state.withLockedValue { $0.running[key, default: 0] -= 1 } }
    try await next(context)
  }
}
