public import FoundationEssentials
internal import NIOConcurrencyHelpers

/// Who watches which users' mockups, to be woken when something may have changed.
///
/// It finds out nothing by itself: the program wakes whom a notification is about. A watcher that is
/// woken reads what has changed; one wake too many costs it a query, and nothing else.
public final class MockupWatchers: Sendable {
  /// The calls of WatchMockups that run, by user and by a number of their own.
  private struct State {
    var wakes: [UUID: [Int: AsyncStream<Void>.Continuation]] = [:]
    var lastNumber = 0
  }

  /// One who watches.
  struct Watch: Sendable {
    let userID: UUID
    let number: Int
    /// Begins with one, so that the first look is like every other. Those that come while the watcher
    /// is busy are one.
    let wakes: AsyncStream<Void>
  }

  private let state = NIOLockedValueBox(State())

  public init() {}

  /// Something has changed of a user's mockups.
  public func wake(_ userID: UUID) {
    state.withLockedValue { state in
      for wakes in state.wakes[userID, default: [:]].values { wakes.yield() }
    }
  }

  /// Anything may have changed.
  public func wakeAll() {
    state.withLockedValue { state in
      for wakes in state.wakes.values.lazy.flatMap(\.values) { wakes.yield() }
    }
  }

  /// Wakes one part of all watchers, for those who have been told of nothing for long.
  ///
  /// - Parameters:
  ///   - part: Which one, from 0; one after the other they are all watchers.
  ///   - count: How many parts there are.
  public func wake(part: Int, of count: Int) {
    state.withLockedValue { state in
      for watchers in state.wakes.values {
        for (number, wakes) in watchers where number % count == part { wakes.yield() }
      }
    }
  }

  /// How many watch.
  public var count: Int {
    state.withLockedValue { $0.wakes.values.reduce(0) { $0 + $1.count } }
  }

  /// Has a caller woken from now on, until ``forget(_:)``.
  func watch(_ userID: UUID) -> Watch {
    let (wakes, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    continuation.yield()
    let number = state.withLockedValue { state in
      state.lastNumber += 1
      state.wakes[userID, default: [:]][state.lastNumber] = continuation
      return state.lastNumber
    }
    return Watch(userID: userID, number: number, wakes: wakes)
  }

  func forget(_ watch: Watch) {
    state.withLockedValue { state in
      let wakes = state.wakes[watch.userID]?.removeValue(forKey: watch.number)
      wakes?.finish()
      if state.wakes[watch.userID]?.isEmpty == true { state.wakes[watch.userID] = nil }
    }
  }
}
