internal import NIOConcurrencyHelpers
internal import NIOCore
public import ProtobufC
internal import Synchronization

/// The messages that the peer sends in a call, in the order in which they were sent.
///
/// Read the stream from one task at a time. It ends after the peer's last message, and throws
/// ``RPCError`` if the call ends in any other way.
///
/// Unread messages wait in bounded memory. ttrpc has no way to ask a peer to slow down, so a reader
/// that stays too far behind ends its call with ``StatusCode/resourceExhausted``.
public struct MessageStream<Message: ProtobufMessage>: AsyncSequence, Sendable {
  /// The type of the messages.
  public typealias Element = Message
  /// The type of the errors that reading throws.
  public typealias Failure = RPCError

  private let queue: InboundQueue
  private let traffic: CallTraffic

  init(_ queue: InboundQueue, traffic: CallTraffic) {
    self.queue = queue
    self.traffic = traffic
  }

  /// Returns an iterator; all iterators of a stream take messages from the same queue.
  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(stream: self)
  }

  /// The iterator that a `for try await` loop uses.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let stream: MessageStream

    /// Returns the next message, or nil at the end of the stream.
    public mutating func next() async throws(RPCError) -> Message? {
      try await stream.next()
    }

    /// Returns the next message, or nil at the end of the stream.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(RPCError) -> Message? {
      try await stream.next()
    }
  }

  /// Returns the next message, or nil at the end of the stream.
  ///
  /// - Throws: The status with which the call ended; ``StatusCode/cancelled`` if the task is
  ///   cancelled while it waits; ``StatusCode/internalError`` if the message cannot be parsed.
  public func next() async throws(RPCError) -> Message? {
    guard let bytes = try await queue.next() else { return nil }
    traffic.received(bytes.count)
    do {
      return try Message(serialized: bytes)
    } catch {
      throw RPCError(
        code: .internalError,
        message: "a received message is not a valid \(Message.fullName): \(error)",
        cause: error)
    }
  }
}

/// A counter of the memory that a connection's unread messages take, over all its streams.
package final class InboundBudget: Sendable {
  private let used = Atomic(0)

  /// The cost of the unread messages of all streams, in bytes (see ``InboundQueue/overhead``).
  var bytes: Int { used.load(ordering: .sequentiallyConsistent) }

  /// True if a closure waits for the next refund.
  ///
  /// It is read for each message and nearly always false, so it saves taking the lock.
  private let isAwaited = Atomic(false)
  private let announcement = NIOLockedValueBox<(@Sendable () -> Void)?>(nil)

  /// Calls a closure once, on any thread, as soon as a message is taken or dropped.
  func announceNextRefund(_ announcement: @escaping @Sendable () -> Void) {
    self.announcement.withLockedValue { $0 = announcement }
    isAwaited.store(true, ordering: .sequentiallyConsistent)
  }

  /// Removes the closure that waits for the next refund, if there is one.
  func cancelAnnouncement() {
    isAwaited.store(false, ordering: .sequentiallyConsistent)
    announcement.withLockedValue { $0 = nil }
  }

  fileprivate func charge(_ bytes: Int) { used.add(bytes, ordering: .relaxed) }

  fileprivate func refund(_ bytes: Int) {
    used.subtract(bytes, ordering: .sequentiallyConsistent)
    guard isAwaited.load(ordering: .sequentiallyConsistent),
      isAwaited.exchange(false, ordering: .sequentiallyConsistent)
    else { return }
    announcement.withLockedValue { $0.take() }?()
  }
}

/// A queue that passes the peer's messages of one stream from the event loop to the reading task.
///
/// ``append(_:)`` never waits. The connection checks ``bytes`` instead, and if the reader is too
/// far behind, it stops reading from the socket or ends the stream.
package final class InboundQueue: Sendable {
  /// The bytes that each message costs in addition to its size, so that empty messages count too.
  static let overhead = 64

  private typealias Reader = CheckedContinuation<Result<[UInt8]?, RPCError>, Never>

  private struct State {
    var messages = CircularBuffer<[UInt8]>()
    var bytes = 0
    var end: Result<Void, RPCError>?
    var reader: Reader?
  }

  private let state = NIOLockedValueBox(State())
  private let budget: InboundBudget
  private let taken: (@Sendable (Int) -> Void)?

  /// Creates an empty queue.
  ///
  /// - Parameter taken: A closure that is called with the size of each message that the reader has
  ///   taken, from any thread.
  package init(budget: InboundBudget, taken: (@Sendable (Int) -> Void)? = nil) {
    self.budget = budget
    self.taken = taken
  }

  deinit {
    let bytes = state.withLockedValue(\.bytes)
    budget.refund(bytes)
  }

  /// The cost of the unread messages, in bytes.
  package var bytes: Int { state.withLockedValue(\.bytes) }

  /// Appends a message, or drops it if the stream has ended.
  package func append(_ message: [UInt8]) {
    let reader = state.withLockedValue { state -> Reader? in
      guard state.end == nil else { return nil }
      if let reader = state.reader.take() { return reader }
      let cost = message.count + Self.overhead
      state.messages.append(message)
      state.bytes += cost
      budget.charge(cost)
      return nil
    }
    guard let reader else { return }
    taken?(message.count)
    reader.resume(returning: .success(message))
  }

  /// Ends the stream after its unread messages.
  ///
  /// - Parameter end: The result that the reader gets after the last message.
  func finish(_ end: Result<Void, RPCError>) {
    let reader = state.withLockedValue { state -> Reader? in
      guard state.end == nil else { return nil }
      state.end = end
      return state.reader.take()
    }
    reader?.resume(returning: end.map { nil })
  }

  /// Ends the stream immediately with an error and drops the unread messages.
  func fail(_ error: RPCError) {
    let reader = state.withLockedValue { state -> Reader? in
      budget.refund(state.bytes)
      state.messages.removeAll()
      state.bytes = 0
      state.end = .failure(error)
      return state.reader.take()
    }
    reader?.resume(returning: .failure(error))
  }

  /// Returns the next message, or nil at the end of the stream.
  ///
  /// - Precondition: No other task is waiting in this method.
  /// - Throws: The error with which the stream ended; CANCELLED if the task is cancelled while it
  ///   waits.
  func next() async throws(RPCError) -> [UInt8]? {
    if let result = state.withLockedValue({ take(from: &$0) }) { return try result.get() }
    return try await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let result = state.withLockedValue { state in
          let result = take(from: &state)
          if result == nil {
            precondition(state.reader == nil, "another task is reading this stream")
            state.reader = continuation
          }
          return result
        }
        if let result {
          continuation.resume(returning: result)
        } else if Task.isCancelled {
          // The cancellation handler may have run before the reader was stored.
          cancelReader()
        }
      }
    } onCancel: {
      cancelReader()
    }.get()
  }

  private func cancelReader() {
    let reader = state.withLockedValue { $0.reader.take() }
    reader?.resume(
      returning: .failure(RPCError(code: .cancelled, message: "the reader was cancelled")))
  }

  private func take(from state: inout State) -> Result<[UInt8]?, RPCError>? {
    guard let message = state.messages.popFirst() else { return state.end?.map { nil } }
    let cost = message.count + Self.overhead
    state.bytes -= cost
    budget.refund(cost)
    taken?(message.count)
    return .success(message)
  }
}
