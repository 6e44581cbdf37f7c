public import FoundationEssentials
internal import NIOConcurrencyHelpers

/// The watches of a server, which are woken when what they watch may have changed.
///
/// The program wakes the watches of a subject when a notification arrives. A watch that is woken
/// reads the changes from the database, so an unnecessary wake costs no more than a query.
public final class Watchers: Sendable {
  /// The subject of a watch.
  public enum Subject: Sendable, Hashable {
    /// The mockups of a user.
    case mockups(of: UUID)
    /// The alerts about all users' credits.
    case alerts
  }

  /// The watching calls in flight, by subject and by a unique number.
  private struct State {
    var wakes: [Subject: [Int: AsyncStream<Void>.Continuation]] = [:]
    var lastNumber = 0
  }

  /// The registration of one call.
  struct Watch: Sendable {
    let subject: Subject
    let number: Int
    /// The wakes of the watch.
    ///
    /// The stream has one wake from the start. Wakes that arrive while the watcher is busy are
    /// coalesced into one.
    let wakes: AsyncStream<Void>
  }

  private let state = NIOLockedValueBox(State())

  /// Creates an empty set of watches.
  public init() {}

  /// Wakes the watches of a subject, which has changed.
  public func wake(_ subject: Subject) {
    state.withLockedValue { state in
      for wakes in state.wakes[subject, default: [:]].values { wakes.yield() }
    }
  }

  /// Wakes all watches, after notifications may have been missed.
  public func wakeAll() {
    state.withLockedValue { state in
      for wakes in state.wakes.values.lazy.flatMap(\.values) { wakes.yield() }
    }
  }

  /// Wakes a part of all watches, so that a lost notification delays a watch but does not block it.
  ///
  /// - Parameters:
  ///   - part: The part to wake, from 0. All parts together are all watches.
  ///   - count: The number of parts.
  public func wake(part: Int, of count: Int) {
    state.withLockedValue { state in
      for watchers in state.wakes.values {
        for (number, wakes) in watchers where number % count == part { wakes.yield() }
      }
    }
  }

  /// The number of watches.
  public var count: Int {
    state.withLockedValue { $0.wakes.values.reduce(0) { $0 + $1.count } }
  }

  /// Registers a watch of a subject, until ``forget(_:)`` is called.
  func watch(_ subject: Subject) -> Watch {
    let (wakes, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    continuation.yield()
    let number = state.withLockedValue { state in
      state.lastNumber += 1
      state.wakes[subject, default: [:]][state.lastNumber] = continuation
      return state.lastNumber
    }
    return Watch(subject: subject, number: number, wakes: wakes)
  }

  /// Removes a watch, and ends its wakes.
  func forget(_ watch: Watch) {
    state.withLockedValue { state in
      let wakes = state.wakes[watch.subject]?.removeValue(forKey: watch.number)
      wakes?.finish()
      if state.wakes[watch.subject]?.isEmpty == true { state.wakes[watch.subject] = nil }
    }
  }
}
