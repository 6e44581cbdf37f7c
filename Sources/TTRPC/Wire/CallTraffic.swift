internal import Synchronization

/// What a call has moved so far, counted as it happens: messages and their bytes, without frames and
/// envelopes. Received is what its reader has taken.
public class CallTraffic: @unchecked Sendable {
  // Sendable: everything in it is atomic. Not final, so that has to be said.
  private let sent = Counter()
  private let taken = Counter()

  private struct Counter: ~Copyable, Sendable {
    let messages = Atomic(0)
    let bytes = Atomic(0)

    func count(_ byteCount: Int) {
      messages.add(1, ordering: .relaxed)
      bytes.add(byteCount, ordering: .relaxed)
    }
  }

  init() {}

  public var messagesSent: Int { sent.messages.load(ordering: .relaxed) }
  public var bytesSent: Int { sent.bytes.load(ordering: .relaxed) }
  public var messagesReceived: Int { taken.messages.load(ordering: .relaxed) }
  public var bytesReceived: Int { taken.bytes.load(ordering: .relaxed) }

  func sent(_ byteCount: Int) { sent.count(byteCount) }

  func received(_ byteCount: Int) { taken.count(byteCount) }
}
