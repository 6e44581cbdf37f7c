/// A channel without a buffer, which passes elements from one task to another.
///
/// A sender waits until its element is received.
actor Relay<Element: Sendable> {
  private enum State {
    case idle
    /// A receiver waits for an element.
    case wanted(CheckedContinuation<Element?, any Error>)
    /// A sender waits for its element to be received.
    case offered(Element, CheckedContinuation<Void, Never>)
    case finished((any Error)?)
  }

  private var state = State.idle

  /// Sends an element, and waits until it is received.
  ///
  /// Returns without sending if the channel is finished or the task is cancelled, which finishes
  /// the channel.
  func send(_ element: Element) async {
    switch state {
    case .wanted(let reader):
      state = .idle
      reader.resume(returning: element)
    case .idle:
      await withTaskCancellationHandler {
        await withCheckedContinuation { state = .offered(element, $0) }
      } onCancel: {
        Task { await self.finish(nil) }
      }
    case .offered, .finished:
      break
    }
  }

  /// Receives the next element, and waits for it.
  ///
  /// - Returns: The element, or `nil` if the channel is finished or the task was cancelled.
  /// - Throws: The error that the channel was finished with, once.
  func next() async throws -> Element? {
    switch state {
    case .offered(let element, let writer):
      state = .idle
      writer.resume()
      return element
    case .idle:
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { state = .wanted($0) }
      } onCancel: {
        Task { await self.finish(nil) }
      }
    case .finished(let error):
      state = .finished(nil)
      if let error { throw error }
      return nil
    case .wanted:
      return nil
    }
  }

  /// Finishes the channel, with an error if there is one; further calls have no effect.
  func finish(_ error: (any Error)?) {
    switch state {
    case .idle:
      state = .finished(error)
    case .wanted(let reader):
      state = .finished(nil)
      reader.resume(with: error.map { .failure($0) } ?? .success(nil))
    case .offered(_, let writer):
      state = .finished(error)
      writer.resume()
    case .finished:
      break
    }
  }
}
