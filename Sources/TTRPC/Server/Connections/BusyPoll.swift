internal import Glibc
internal import NIOCore

/// Polls the socket of a peer that was just answered, before its event loop sleeps.
///
/// Waking a thread takes longer than answering a short call. A peer that calls again at once is
/// therefore served in half the time if the event loop is still awake. Other connections of the
/// event loop wait during a poll, so only a connection that was also served last is polled.
final class BusyPoll: Sendable {
  /// A Boolean value that indicates whether polling is enabled.
  let isEnabled: Bool
  private let time: TimeAmount
  /// The connection that was read last.
  private let last: NIOLoopBoundBox<ObjectIdentifier?>

  /// Creates the poll of an event loop.
  ///
  /// - Parameters:
  ///   - eventLoop: The event loop whose connections are polled.
  ///   - time: The maximum duration of a poll. Zero disables polling.
  ///   - processors: The number of processors. A single one disables polling.
  init(eventLoop: any EventLoop, time: TimeAmount, processors: Int = System.coreCount) {
    self.time = time
    // On a single processor, the peer cannot send while this thread polls.
    isEnabled = time > .zero && processors > 1
    last = .makeBoxSendingValue(nil, eventLoop: eventLoop)
  }

  /// Records that a connection was read.
  ///
  /// - Returns: True if no other connection was read since this one was read last.
  func wasRead(_ connection: ReadScheduler) -> Bool {
    let connection = ObjectIdentifier(connection)
    let isAlone = last.value == connection
    if !isAlone { last.value = connection }
    return isAlone
  }

  /// Polls a connected socket for the configured time.
  ///
  /// - Returns: True if the socket has input, was closed by the peer, or has failed.
  func wait(for socket: Int32) -> Bool {
    let end = NIODeadline.now() + time
    var request = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    repeat {
      if unsafe poll(&request, 1, 0) != 0 { return true }
    } while .now() < end
    return false
  }
}

/// An exponential backoff of polling, counted in responses.
///
/// Each poll that finds nothing doubles the number of responses after which the server does not
/// poll. A poll that finds input resets it.
struct PollPause {
  private var left = 0
  private var length = 0

  /// Counts a response.
  ///
  /// - Returns: True if the server may poll.
  mutating func isOver() -> Bool {
    guard left > 0 else { return true }
    left -= 1
    return false
  }

  /// Records whether a poll found input, which sets the length of the next pause.
  mutating func recordPoll(foundInput: Bool) {
    length = foundInput ? 0 : min(max(2 * length, 1), Self.maxLength)
    left = length
  }

  /// The maximum number of responses after which the server does not poll.
  private static let maxLength = 64
}
