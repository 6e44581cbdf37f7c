internal import Synchronization

/// The number and size of the messages that a call has sent and received so far.
///
/// Sizes exclude frame headers and envelopes. A message counts as received when its reader takes
/// it. The values change while the call runs.
public class CallTraffic: @unchecked Sendable {
  // All state is atomic. The conformance is unchecked because the class is not final.
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

  /// The number of messages that this side has sent.
  public var messagesSent: Int { sent.messages.load(ordering: .relaxed) }
  /// The total size of the messages that this side has sent, in bytes.
  public var bytesSent: Int { sent.bytes.load(ordering: .relaxed) }
  /// The number of messages that this side's reader has taken.
  public var messagesReceived: Int { taken.messages.load(ordering: .relaxed) }
  /// The total size of the messages that this side's reader has taken, in bytes.
  public var bytesReceived: Int { taken.bytes.load(ordering: .relaxed) }

  func sent(_ byteCount: Int) { sent.count(byteCount) }

  func received(_ byteCount: Int) { taken.count(byteCount) }
}
