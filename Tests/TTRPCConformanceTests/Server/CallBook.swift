import NIOConcurrencyHelpers
import TTRPC
import TestSupport

/// Which calls run, and which may go on, by the numbers that the cases gave them.
final class CallBook: ServerInterceptor {
  private struct State {
    var running: [Int64: Int64] = [:]
    var released: Set<Int64> = []
  }

  private let state = NIOLockedValueBox(State())

  /// Calls that have begun and have not returned.
  func running(_ key: Int64) -> Int64 { state.withLockedValue { $0.running[key] ?? 0 } }

  func release(_ key: Int64) { state.withLockedValue { _ = $0.released.insert(key) } }

  func waitForRelease(_ key: Int64) async throws {
    try await eventually("\(key) is released") {
      state.withLockedValue { $0.released.contains(key) }
    }
  }

  /// Calls without a number are carried out as if this were not there.
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
