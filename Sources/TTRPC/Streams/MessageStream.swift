public import ProtobufC

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
