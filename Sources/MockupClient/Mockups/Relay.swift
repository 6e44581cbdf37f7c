/// Hands elements from one task to another, one at a time: who sends waits until the element is taken,
/// so that nothing gathers in between.
actor Relay<Element: Sendable> {
  private enum State {
    case idle
    /// Somebody waits for an element.
    case wanted(CheckedContinuation<Element?, any Error>)
    /// Somebody waits for one to be taken.
    case offered(Element, CheckedContinuation<Void, Never>)
    case finished((any Error)?)
  }

  private var state = State.idle

  /// Returns when the element is taken, or will never be: when all is finished, or the task cancelled.
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

  /// The next element; nothing where all is finished, or the task was cancelled.
  ///
  /// - Throws: With what all was finished; once.
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

  /// Nothing more comes. Only the first time counts.
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
