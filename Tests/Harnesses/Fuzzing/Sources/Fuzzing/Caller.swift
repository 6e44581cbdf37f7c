import NIOConcurrencyHelpers

@testable import TTRPC

/// A caller that makes a call, and writes and reads a number of messages.
struct Caller: Sendable {
  var shape: CallShape
  var writes: Int
  var reads: Int
  /// True if it waits at the gate before it reads, or before it ends its requests.
  var waits: Bool
  var gate: Gate

  func make(_ exchange: ClientExchange, message: [UInt8]) async {
    do {
      switch shape {
      case .unary: _ = try await exchange.outcome()
      case .serverStreaming:
        try await exchange.cancelledAfterwards { try await read(exchange.inbound) }
      case .clientStreaming:
        try await exchange.cancelledAfterwards {
          try await write(exchange.writer(), message)
          _ = try await exchange.outcome()
        }
      case .bidirectional:
        try await exchange.cancelledAfterwards {
          try await write(exchange.writer(), message)
          try await read(exchange.inbound)
        }
      }
    } catch {
      // Any outcome is allowed; the run checks that the call ends.
    }
  }

  private func write(_ writer: StreamWriter, _ message: [UInt8]) async throws {
    for _ in 0..<writes { try await writer.write(serialized: message) }
    if waits { try await gate.wait() }
    try await writer.finish()
  }

  private func read(_ inbound: InboundQueue) async throws {
    if waits { try await gate.wait() }
    for _ in 0..<reads where try await inbound.next() == nil { return }
  }
}

/// A counter that tasks share.
final class Count: Sendable {
  private let count = NIOLockedValueBox(0)

  var value: Int { count.withLockedValue { $0 } }

  func increase() { count.withLockedValue { $0 += 1 } }
}
