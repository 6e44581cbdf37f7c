internal import Glibc
internal import NIOCore

/// Keeps an event loop awake for a moment, for the peer that it has just answered.
///
/// To wake a thread takes longer than to answer a short call: a peer that calls again at once is served in
/// half the time by a loop that has not gone to sleep. The others wait meanwhile, so this is only for a peer
/// that has the loop to itself.
final class BusyPoll: Sendable {
  /// Whether it is done at all.
  let isEnabled: Bool
  private let time: TimeAmount
  /// The connection that had a turn last.
  private let last: NIOLoopBoundBox<ObjectIdentifier?>

  /// - Parameter time: How long to look for the peer's next bytes at most. None: never.
  init(eventLoop: any EventLoop, time: TimeAmount, processors: Int = System.coreCount) {
    self.time = time
    // Where there is but one, the peer cannot call while this one looks.
    isEnabled = time > .zero && processors > 1
    last = .makeBoxSendingValue(nil, eventLoop: eventLoop)
  }

  /// Counts a connection's turn. Returns whether no other one had a turn since its last.
  func turnEnded(of connection: ServerConnectionHandler) -> Bool {
    let connection = ObjectIdentifier(connection)
    let isAlone = last.value == connection
    if !isAlone { last.value = connection }
    return isAlone
  }

  /// Looks for bytes of a connected socket. Returns whether any have come.
  func wait(for socket: Int32) -> Bool {
    let end = NIODeadline.now() + time
    var request = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    repeat {
      if unsafe poll(&request, 1, 0) != 0 { return true }
    } while .now() < end
    return false
  }
}

/// For how many answers to a peer it is not waited for, since it did not pay: twice as many each time.
struct PollPause {
  private var left = 0
  private var length = 0

  /// Counts an answer. Returns whether the pause is over.
  mutating func isOver() -> Bool {
    guard left > 0 else { return true }
    left -= 1
    return false
  }

  mutating func waited(inVain: Bool) {
    length = inVain ? min(max(2 * length, 1), Self.longest) : 0
    left = length
  }

  private static let longest = 64
}
