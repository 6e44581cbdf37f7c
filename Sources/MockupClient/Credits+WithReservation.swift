public import FoundationEssentials
public import MockupAPI
internal import TTRPC

/// Credits that are set aside while a closure runs.
public struct HeldReservation: Sendable, Hashable {
  public let id: UUID
  public let user: UUID
  /// How many are set aside.
  public let credits: Int
  /// When they are free again, if nothing happens before.
  public let expiresAt: Date
  /// The month has used and holds more than its soft limit.
  public let softLimitIsPassed: Bool
}

/// What is to become of a reservation, and what the closure that had it returns.
public enum ReservationDecision<Value> {
  /// Spend so many of the credits; the rest is free again.
  case commit(credits: Int, Value)
  /// Spend all of them.
  case commitAll(Value)
  /// Spend none.
  case release(Value)
}

extension ReservationDecision: Sendable where Value: Sendable {}

/// What has become of a reservation, and what the closure that had it returned.
public struct SettledReservation<Value> {
  public let value: Value
  /// What was spent.
  public let committed: Int
  /// What is available after it.
  public let remaining: Int
  /// The user's credits after it.
  public let usage: CreditUsage
}

extension SettledReservation: Sendable where Value: Sendable {}

/// There were fewer credits than asked for. Nothing was set aside.
public struct InsufficientCredits: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is available.
  public let remaining: Int
  /// The server's words.
  public let description: String
}

extension Credits {
  /// Sets credits aside, runs a closure, and spends as many of them as it says.
  ///
  /// Where the closure throws, the credits are given back: also those of a dispatched one, so it
  /// catches what it throws after the vendor has charged, and commits. Where the process dies, they are free
  /// again when the reservation expires. A closure that outlives its reservation may still commit,
  /// as long as the credits are available then.
  ///
  /// - Parameters:
  ///   - isDispatched: Whether the vendor is called in the closure: where the process dies then, the
  ///     credits stay set aside until somebody says what became of it.
  ///   - staysAlive: Whether the reservation is extended, again and again, while the closure runs.
  /// - Throws: ``InsufficientCredits``; what the closure throws; ``RPCError`` where the server cannot
  ///   set aside or spend. After an error of the commit, ``reservation(_:of:)`` tells what holds.
  public func withReservation<Value>(
    for user: UUID, credits: Int, id: UUID = UUID(),
    operation: MockupAPI.Operation = .generation, timeToLive: Duration? = nil,
    mockup: UUID? = nil, group: UUID? = nil, isDispatched: Bool = false, staysAlive: Bool = false,
    _ body: (HeldReservation) async throws -> ReservationDecision<Value>
  ) async throws -> SettledReservation<Value> {
    let reserved = try await reserve(
      for: user, credits: credits, id: id, operation: operation, timeToLive: timeToLive,
      mockup: mockup, group: group)
    guard reserved.success else {
      throw InsufficientCredits(
        remaining: Int(reserved.remaining), description: reserved.message)
    }
    let held = HeldReservation(
      id: id, user: user, credits: credits,
      expiresAt: reserved.reservation?.expiresAt?.date ?? .distantFuture,
      softLimitIsPassed: reserved.usage?.softLimitPassed ?? false)

    let decision: ReservationDecision<Value>
    let heartbeats = staysAlive ? heartbeats(of: id, of: user, timeToLive: timeToLive) : nil
    defer { heartbeats?.cancel() }
    do {
      if isDispatched { _ = try await dispatch(id, of: user) }
      decision = try await body(held)
    } catch {
      await giveBack(id, of: user)
      throw error
    }
    switch decision {
    case .commit(let credits, let value):
      return SettledReservation(value, try await commit(id, of: user, credits: credits))
    case .commitAll(let value):
      return SettledReservation(value, try await commit(id, of: user))
    case .release(let value):
      return SettledReservation(value, try await commit(id, of: user, credits: 0))
    }
  }

  /// Extends a reservation thrice in its time, until it is cancelled. One that fails is made up for by
  /// the next.
  private func heartbeats(of id: UUID, of user: UUID, timeToLive: Duration?) -> Task<Void, Never> {
    Task {
      while true {
        guard (try? await Task.sleep(for: (timeToLive ?? .seconds(900)) / 3)) != nil else { return }
        _ = try? await extend(id, of: user, timeToLive: timeToLive)
      }
    }
  }

  /// Releases, also where the caller is cancelled. Should it fail, expiry does it.
  private func giveBack(_ id: UUID, of user: UUID) async {
    _ = await Task { try? await release(id, of: user) }.value
  }
}

extension SettledReservation {
  fileprivate init(_ value: Value, _ response: CommitReservationResponse) {
    self.init(
      value: value,
      committed: Int(response.committed),
      remaining: Int(response.remaining),
      usage: response.usage ?? CreditUsage())
  }
}
