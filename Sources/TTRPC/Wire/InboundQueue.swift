internal import NIOConcurrencyHelpers
internal import NIOCore
internal import Synchronization

/// What a connection's streams hold in messages that nobody has read yet.
final class InboundBudget: Sendable {
  private let used = Atomic(0)

  /// Bytes that wait on all streams.
  var bytes: Int { used.load(ordering: .sequentiallyConsistent) }

  /// Whether the next refund is announced. Looked at for each message, and nearly always false.
  private let isAwaited = Atomic(false)
  private let announcement = NIOLockedValueBox<(@Sendable () -> Void)?>(nil)

  /// Calls a closure once, from any thread, as soon as a message is taken or dropped.
  func announceNextRefund(_ announcement: @escaping @Sendable () -> Void) {
    self.announcement.withLockedValue { $0 = announcement }
    isAwaited.store(true, ordering: .sequentiallyConsistent)
  }

  /// Announces nothing more.
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

/// The other side's messages of one stream, from the event loop that receives them to the task that
/// reads them.
///
/// ``append(_:)`` never waits: the connection checks ``bytes``, and waits or ends the stream where the reader
/// is too far behind.
final class InboundQueue: Sendable {
  /// What a message costs beyond its own bytes, so that empty ones are not free.
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

  init(budget: InboundBudget) {
    self.budget = budget
  }

  deinit {
    let bytes = state.withLockedValue(\.bytes)
    budget.refund(bytes)
  }

  /// Bytes that wait to be read.
  var bytes: Int { state.withLockedValue(\.bytes) }

  /// Adds a message; one that comes after the end is dropped.
  func append(_ message: [UInt8]) {
    let reader = state.withLockedValue { state -> Reader? in
      guard state.end == nil else { return nil }
      if let reader = state.reader.take() { return reader }
      let cost = message.count + Self.overhead
      state.messages.append(message)
      state.bytes += cost
      budget.charge(cost)
      return nil
    }
    reader?.resume(returning: .success(message))
  }

  /// Nothing more will come. What waits is still read, and then the stream ends as `end` says.
  func finish(_ end: Result<Void, RPCError>) {
    let reader = state.withLockedValue { state -> Reader? in
      guard state.end == nil else { return nil }
      state.end = end
      return state.reader.take()
    }
    reader?.resume(returning: end.map { nil })
  }

  /// Ends the stream at once; what waits is dropped.
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

  /// The next message; nothing at the end.
  ///
  /// - Precondition: Nobody else is waiting for one.
  func next() async throws(RPCError) -> [UInt8]? {
    if let result = state.withLockedValue({ take(from: &$0) }) { return try result.get() }
    return try await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let result = state.withLockedValue { state in
          let result = take(from: &state)
          if result == nil {
            precondition(state.reader == nil, "a stream has one reader")
            state.reader = continuation
          }
          return result
        }
        if let result {
          continuation.resume(returning: result)
        } else if Task.isCancelled {
          // The handler may have run before there was anybody to wake.
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
    return .success(message)
  }
}
