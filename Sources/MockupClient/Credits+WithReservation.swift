public import FoundationEssentials
public import MockupAPI
internal import TTRPC
internal import TimeOrderedID

/// Credits that are held while a closure runs.
public struct HeldReservation: Sendable, Hashable {
  public let id: UUID
  public let user: UUID
  /// The number of held credits.
  public let credits: Int
  /// When the reservation expires, unless it is extended or settled before.
  public let expiresAt: Date
  /// The month has used and holds more than its soft limit.
  public let softLimitIsPassed: Bool
  /// An earlier run reserved the credits under the same id, and did not settle them.
  public let isResumed: Bool
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
  /// The number of spent credits.
  public let committed: Int
  /// The number of credits that are available afterwards.
  public let remaining: Int
  /// The user's credits after it.
  public let usage: CreditUsage
}

extension SettledReservation: Sendable where Value: Sendable {}

/// There were fewer credits than asked for. Nothing was reserved.
public struct InsufficientCredits: Error, Sendable, Hashable, CustomStringConvertible {
  /// The number of available credits.
  public let remaining: Int
  /// The server's message.
  public let description: String
}

/// The id belongs to a reservation of an earlier run, which a closure must not run for again: it was
/// settled, it has expired, or it was dispatched, so that the vendor may have charged for it.
public struct ReservationAlreadyUsed: Error, Sendable, Hashable, CustomStringConvertible {
  /// The reservation as it stands: its state, and what was committed.
  public let reservation: Reservation

  public var description: String {
    let state = "reservation \(reservation.reservationID) is already \(reservation.state.name)"
    return reservation.committed > 0
      ? "\(state): \(reservation.committed) of \(reservation.granted) credits were committed"
      : state
  }
}

/// An error that the closure of a dispatched reservation throws if the vendor charged nothing:
/// the credits are released, and the caller gets the error inside.
public struct NotCharged: Error {
  public let error: any Error

  public init(_ error: any Error) {
    self.error = error
  }
}

extension Credits {
  /// Reserves credits, runs a closure, and spends as many of them as it says.
  ///
  /// The closure's decision reaches the server even if the caller's task is cancelled: its
  /// cancellation ends neither the commit nor the release, and both are retried while the server is
  /// unavailable, for as long as the client's timeout (30 s where it has none). The release after any
  /// other error of the closure has the attempts of the client's retry policy, and expiry after it.
  ///
  /// Where the closure throws, the credits are released, unless they are dispatched: then the vendor
  /// may have charged, so they stay held until an administrator, or a late commit, settles the
  /// reservation. A closure that knows better throws ``NotCharged``, or returns
  /// ``ReservationDecision/release(_:)``. Where the process ends, a reservation that is only held
  /// expires. A closure that outlives its reservation may still commit, as long as the credits are
  /// available then.
  ///
  /// A run under an id that was used before, as by a job that begins again after a crash, runs the
  /// closure only where the reservation is still held. Two runs at the same time may both find it so;
  /// with `isDispatched` one of them is refused.
  ///
  /// A caller that is cancelled while the credits are being reserved cannot know whether they are. They
  /// are released where the id was made here. Under an id of the caller's they stay held until they
  /// expire, for the next run under it.
  ///
  /// - Parameters:
  ///   - id: The idempotency key of the whole run; `nil`: a new one.
  ///   - isDispatched: Whether the closure calls the vendor.
  ///   - resumesDispatched: Whether the closure also runs where an earlier run under the same id was
  ///     dispatched and not settled: the closure then finds out what the vendor did.
  ///   - staysAlive: Whether the reservation is extended, again and again, while the closure runs.
  /// - Throws: ``InsufficientCredits``; ``ReservationAlreadyUsed``; what the closure throws;
  ///   ``RPCError`` where the server cannot reserve or spend. After an error of the commit,
  ///   ``reservation(_:of:)`` tells what holds.
  public func withReservation<Value>(
    for user: UUID, credits: Int, id: UUID? = nil,
    operation: MockupAPI.Operation = .generation, timeToLive: Duration? = nil,
    mockup: UUID? = nil, group: UUID? = nil, isDispatched: Bool = false,
    resumesDispatched: Bool = false, staysAlive: Bool = false,
    _ body: (HeldReservation) async throws -> ReservationDecision<Value>
  ) async throws -> SettledReservation<Value> {
    let request = Request(
      user: user, credits: credits, id: id ?? .timeOrdered(), operation: operation,
      timeToLive: timeToLive, mockup: mockup, group: group)
    let (held, wasDispatched) = try await hold(
      request, isOwnID: id == nil, resumesDispatched: resumesDispatched)
    if isDispatched, !wasDispatched {
      try await dispatch(held, isOwnID: id == nil, resumesDispatched: resumesDispatched)
    }

    let decision: ReservationDecision<Value>
    let heartbeats = staysAlive ? heartbeats(of: held, timeToLive: timeToLive) : nil
    defer { heartbeats?.cancel() }
    do {
      decision = try await body(held)
    } catch let error as NotCharged {
      await giveBack(held, patience: options.boundedTimeout)
      throw error.error
    } catch {
      if !isDispatched, !wasDispatched { await giveBack(held) }
      throw error
    }
    switch decision {
    case .commit(let credits, let value):
      return SettledReservation(value, try await settle(held, credits: credits))
    case .commitAll(let value):
      return SettledReservation(value, try await settle(held, credits: nil))
    case .release(let value):
      return SettledReservation(value, try await settle(held, credits: 0))
    }
  }

  /// The reservation to make for a closure.
  private struct Request: Sendable {
    var user: UUID
    var credits: Int
    var id: UUID
    var operation: MockupAPI.Operation
    var timeToLive: Duration?
    var mockup: UUID?
    var group: UUID?

    func reserve(_ credits: Credits) async throws(RPCError) -> ReserveCreditsResponse {
      try await credits.reserve(
        for: user, credits: self.credits, id: id, operation: operation, timeToLive: timeToLive,
        mockup: mockup, group: group)
    }
  }

  /// Reserves the credits, or finds those that an earlier run reserved.
  ///
  /// - Parameter isOwnID: Nobody else can know the id.
  private func hold(
    _ request: Request, isOwnID: Bool, resumesDispatched: Bool
  ) async throws -> (HeldReservation, wasDispatched: Bool) {
    let reserved: ReserveCreditsResponse
    var current: Reservation?
    do {
      reserved = try await request.reserve(self)
      // The answer to a replay is the first one; what has become of it since is not in it.
      if reserved.success, reserved.replayed {
        current = try await reservation(request.id, of: request.user)
      }
    } catch {
      if isOwnID, Task.isCancelled { await undo(request) }
      throw error
    }
    guard reserved.success else {
      throw InsufficientCredits(
        remaining: Int(reserved.remaining), description: reserved.message)
    }
    if let current {
      let runs = current.state == .held || current.state == .dispatched && resumesDispatched
      guard runs else { throw ReservationAlreadyUsed(reservation: current) }
    }
    let reservation = current ?? reserved.reservation
    let held = HeldReservation(
      id: request.id, user: request.user,
      credits: reservation.map { Int($0.held) } ?? request.credits,
      expiresAt: reservation?.expiresAt?.date ?? .distantFuture,
      softLimitIsPassed: reserved.usage?.softLimitPassed ?? false, isResumed: current != nil)
    return (held, current?.state == .dispatched)
  }

  /// Dispatches the reservation before its closure runs.
  private func dispatch(
    _ held: HeldReservation, isOwnID: Bool, resumesDispatched: Bool
  ) async throws {
    let response: DispatchReservationResponse
    do {
      response = try await dispatch(held.id, of: held.user)
    } catch {
      // This run has not called the vendor. Another one under the same id may have.
      if isOwnID { await giveBack(held) }
      throw error
    }
    // Another run has it, or the answer to this one's first attempt was lost: which, is unknown.
    if response.replayed, !resumesDispatched {
      throw ReservationAlreadyUsed(reservation: response.reservation ?? Reservation())
    }
  }

  /// Extends a reservation three times in its time to live, until the task is cancelled. The next
  /// extension makes up for one that fails.
  private func heartbeats(
    of held: HeldReservation, timeToLive: Duration?
  ) -> Task<Void, Never> {
    Task {
      while true {
        guard (try? await Task.sleep(for: (timeToLive ?? .seconds(900)) / 3)) != nil else { return }
        _ = try? await extend(held.id, of: held.user, timeToLive: timeToLive)
      }
    }
  }

  // MARK: Calls that have to reach the server

  private var bounded: Credits {
    Credits(stub: stub, options: options.bounded, shielded: shielded)
  }

  /// - Parameter credits: `nil`: all; 0: none.
  private func settle(
    _ held: HeldReservation, credits: Int?
  ) async throws(RPCError) -> CommitReservationResponse {
    try await shielded.run(patience: options.boundedTimeout) {
      [bounded] () async throws(RPCError) in
      try await bounded.commit(held.id, of: held.user, credits: credits)
    }
  }

  /// Releases. Where that fails, a reservation that is held expires.
  private func giveBack(_ held: HeldReservation, patience: Duration = .zero) async {
    _ = try? await shielded.run(patience: patience) { [bounded] () async throws(RPCError) in
      try await bounded.release(held.id, of: held.user)
    }
  }

  /// Releases what a request may have reserved that may still be on its way: only where it was decided
  /// is there something to release.
  private func undo(_ request: Request) async {
    try? await shielded.run { [bounded] () async throws(RPCError) in
      guard try await request.reserve(bounded).success else { return }
      _ = try await bounded.release(request.id, of: request.user)
    }
  }
}

extension ReservationState {
  /// As the protocol names it.
  fileprivate var name: String {
    switch self {
    case .unspecified: "UNSPECIFIED"
    case .held: "HELD"
    case .committed: "COMMITTED"
    case .released: "RELEASED"
    case .expired: "EXPIRED"
    case .refused: "REFUSED"
    case .dispatched: "DISPATCHED"
    case .unresolved: "UNRESOLVED"
    case .unrecognized(let number): "\(number)"
    }
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
