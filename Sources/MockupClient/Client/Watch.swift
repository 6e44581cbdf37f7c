internal import AsyncAlgorithms
internal import TTRPC

/// The events of a stream that never ends, delivered as they happen.
///
/// The watch restarts after the last event that was read if the server or its database becomes
/// unavailable, or if the reader was so slow that too many events were waiting for it. The number
/// of restarts is not limited; the pauses between them are those of the client's `RetryPolicy`. The
/// policy's limit of attempts applies until the watch has begun for the first time. With
/// `RetryPolicy.never`, the watch is never restarted.
public struct Watch<Event: Sendable>: AsyncSequence, Sendable {
  /// One event.
  public typealias Element = Event

  private let run: @Sendable (_ receive: @Sendable (Event) async -> Void) async throws -> Void

  /// Creates a watch that starts a stream after a token, and makes an event of each response.
  init<Response: Sendable>(
    _ stream: RestartingStream<Response>, after token: String?,
    _ event: @escaping @Sendable (Response) throws -> Event
  ) {
    run = { receive in
      try await stream.run(after: token) { response in await receive(try event(response)) }
    }
  }

  /// Creates an iterator, which starts a watch of its own at its first element.
  public func makeAsyncIterator() -> Iterator { Iterator(self) }

  /// The iterator of a watch, which ends the watch when it is released.
  public struct Iterator: AsyncIteratorProtocol {
    private let watch: Watch<Event>
    private var running: RunningStream<Event>?

    fileprivate init(_ watch: Watch<Event>) {
      self.watch = watch
    }

    /// Waits for the next event.
    ///
    /// - Returns: The event, or `nil` after an error or if the task was cancelled.
    /// - Throws: `RPCError` if the watch failed and a restart cannot help.
    public mutating func next() async throws -> Event? {
      let running = running ?? RunningStream(watch.run)
      self.running = running
      return try await running.next()
    }
  }
}

/// The task that reads a stream for an iterator, which is cancelled when the iterator is released.
private final class RunningStream<Event: Sendable>: Sendable {
  // Without a buffer: the task waits until the reader has taken an event.
  private let channel = AsyncThrowingChannel<Event, any Error>()
  private let task: Task<Void, Never>

  /// Starts a task.
  ///
  /// - Parameter run: Passes every event to the closure that it gets.
  init(
    _ run: @escaping @Sendable (_ receive: @Sendable (Event) async -> Void) async throws -> Void
  ) {
    task = Task { [channel] in
      do {
        try await run { event in await channel.send(event) }
        channel.finish()
      } catch {
        channel.fail(error)
      }
    }
  }

  deinit {
    task.cancel()
  }

  /// Waits for the next event, or returns `nil` at the end.
  func next() async throws -> Event? {
    var iterator = channel.makeAsyncIterator()
    return try await iterator.next()
  }
}

extension CallOptions {
  /// The options for a call that never ends, which have no timeout.
  var endless: CallOptions {
    var options = self
    options.timeout = nil
    return options
  }
}
