internal import Synchronization

/// How much a server is doing, over all its connections and threads.
public final class ServerLoad: Sendable {
  private let maximumCalls: Int
  private let maximumConnections: Int
  private let calls = Atomic(0)
  private let connections = Atomic(0)
  private let queuedBytes = Atomic(0)

  init(_ limits: ServerLimits) {
    maximumCalls = limits.calls
    maximumConnections = limits.connections
  }

  /// Calls whose handlers have not returned.
  public var callsInFlight: Int { calls.load(ordering: .relaxed) }

  /// Connections that are open now.
  public var openConnections: Int { connections.load(ordering: .relaxed) }

  /// Bytes that wait to be read, by handlers and by peers.
  public var bytesQueued: Int { queuedBytes.load(ordering: .relaxed) }

  /// Counts bytes that came to wait, or do no longer. Returns how many wait now.
  func queuedBytesChanged(by change: Int) -> Int {
    queuedBytes.add(change, ordering: .relaxed).newValue
  }

  /// Counts one more call, unless that is above the limit.
  func callStarted() -> Bool { Self.take(from: calls, limit: maximumCalls) }

  func callEnded() { calls.subtract(1, ordering: .relaxed) }

  /// Counts one more connection, unless that is above the limit.
  func connectionOpened() -> Bool { Self.take(from: connections, limit: maximumConnections) }

  func connectionClosed() { connections.subtract(1, ordering: .relaxed) }

  private static func take(from count: borrowing Atomic<Int>, limit: Int) -> Bool {
    guard count.add(1, ordering: .relaxed).newValue <= limit else {
      count.subtract(1, ordering: .relaxed)
      return false
    }
    return true
  }
}
