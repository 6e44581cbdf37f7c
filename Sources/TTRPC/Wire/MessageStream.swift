public import ProtobufC

/// The other side's messages of a call, in the order in which they were sent.
///
/// Read it from one task at a time. It ends when the other side has sent all, and throws ``RPCError``
/// where the call ends otherwise. What is not read waits in bounded memory: a reader that falls too
/// far behind ends its call with ``StatusCode/resourceExhausted``, since ttrpc cannot ask a peer to
/// slow down.
public struct MessageStream<Message: ProtobufMessage>: AsyncSequence, Sendable {
  public typealias Element = Message
  public typealias Failure = RPCError

  private let queue: InboundQueue
  private let traffic: CallTraffic

  init(_ queue: InboundQueue, traffic: CallTraffic) {
    self.queue = queue
    self.traffic = traffic
  }

  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(stream: self)
  }

  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let stream: MessageStream

    public mutating func next() async throws(RPCError) -> Message? {
      try await stream.next()
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(RPCError) -> Message? {
      try await stream.next()
    }
  }

  /// The next message; nothing at the end.
  public func next() async throws(RPCError) -> Message? {
    guard let bytes = try await queue.next() else { return nil }
    traffic.received(bytes.count)
    do {
      return try Message(serialized: bytes)
    } catch {
      throw RPCError(
        code: .internalError, message: "a message is no \(Message.fullName): \(error)",
        cause: error)
    }
  }
}
