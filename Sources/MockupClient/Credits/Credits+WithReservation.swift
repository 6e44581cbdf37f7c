public import FoundationEssentials
public import MockupAPI
internal import TTRPC
internal import TimeOrderedID

/// A reservation whose credits are held while a closure runs.
public struct HeldReservation: Sendable, Hashable {
  /// The id of the reservation, which is also the idempotency key of the `withReservation` call.
  public let id: UUID
  /// The user that the credits belong to.
  public let user: UUID
  /// The number of held credits.
  public let credits: Int
  /// The time at which the reservation expires, unless it is extended or settled before.
  public let expiresAt: Date
  /// True if the credits used and held in the month exceed the month's soft limit.
  public let softLimitIsPassed: Bool
  /// True if an earlier call reserved the credits under the same id and did not settle them.
  public let isResumed: Bool
}

/// A closure's decision about its reservation, with the closure's result.
public enum ReservationDecision<Value> {
  /// Commits this number of credits, and releases the rest.
  case commit(credits: Int, Value)
  /// Commits all held credits.
  case commitAll(Value)
  /// Releases all held credits.
  case release(Value)
}

extension ReservationDecision: Sendable where Value: Sendable {}

/// The outcome of a settled reservation, with the closure's result.
public struct SettledReservation<Value> {
  /// The value of the closure's ``ReservationDecision``.
  public let value: Value
  /// The number of committed credits.
  public let committed: Int
  /// The number of credits that are available after the settlement.
  public let remaining: Int
  /// The user's credits after the settlement.
  public let usage: CreditUsage
}

extension SettledReservation: Sendable where Value: Sendable {}

/// An error that is thrown if fewer credits are available than requested.
///
/// Nothing was reserved.
public struct InsufficientCredits: Error, Sendable, Hashable, CustomStringConvertible {
  /// The number of available credits.
  public let remaining: Int
  /// The server's message.
  public let description: String
}

/// An error that is thrown if an earlier call has already used the reservation's id.
///
/// The closure must not run again. The reservation was settled, it has expired, or it was
/// dispatched and the vendor may have charged.
public struct ReservationAlreadyUsed: Error, Sendable, Hashable, CustomStringConvertible {
  /// The reservation in its current state, with the number of committed credits.
  public let reservation: Reservation

  /// The reservation's id and state, and the number of committed credits if there are any.
  public var description: String {
    let state = "reservation \(reservation.reservationID) is already \(reservation.state.name)"
    return reservation.committed > 0
      ? "\(state): \(reservation.committed) of \(reservation.granted) credits were committed"
      : state
  }
}

/// An error that the closure of a dispatched reservation throws if the vendor charged nothing.
///
/// The credits are released, and the caller receives the wrapped error.
public struct NotCharged: Error {
  /// The error that the caller receives.
  public let error: any Error

  /// Wraps an error that occurred without a charge.
  public init(_ error: any Error) {
    self.error = error
  }
}

extension Credits {
  /// Reserves credits, runs a closure, and commits or releases the credits as the closure decides.
  ///
  /// The closure's decision reaches the server even if the caller's task is cancelled: cancellation
  /// ends neither the commit nor the release. Both are retried while the server is unavailable, for
  /// up to the client's timeout (30 s if it has none).
  ///
  /// If the closure throws, the credits are released, unless the reservation is dispatched: the
  /// vendor may then have charged, so the credits stay held until an administrator or a late commit
  /// settles the reservation. A closure that knows that the vendor charged nothing throws
  /// ``NotCharged`` or returns ``ReservationDecision/release(_:)``, which both release the credits
  /// and retry the release like a commit. If the release after ``NotCharged`` fails nevertheless,
  /// the caller gets the closure's error; a dispatched reservation stays held, and any other
  /// expires. After any other error, only the client's retry policy applies to the release; if it
  /// fails, the reservation expires. If the process exits, a reservation that is held and not
  /// dispatched expires. If the closure runs longer than the time to live, the reservation can
  /// still be committed if the credits are available.
  ///
  /// If the id was used before, for example by a job that restarts after a crash, the closure runs
  /// only if the reservation is still held. The reservation is first extended by the time to live.
  /// Two concurrent runs with the same id may both find it held; with `isDispatched`, and without
  /// `resumesDispatched`, only one of them runs its closure.
  ///
  /// If the caller is cancelled before the credits are reserved, the closure does not run. With a
  /// generated id the credits are released. With the caller's id they may stay held, for the next
  /// run with that id, until they expire.
  ///
  /// - Parameters:
  ///   - user: The user whose budget is charged. The call fails with NOT_FOUND if the user is
  ///     unknown.
  ///   - credits: The number of credits to reserve, at least 1.
  ///   - id: The id of the reservation and idempotency key of this call; `nil` generates an id.
  ///   - operation: The kind of charge in the ledger: `.generation` or `.regeneration`.
  ///   - timeToLive: The reservation's time to live, rounded up to whole seconds, up to 24 hours;
  ///     `nil` means 15 minutes.
  ///   - mockup: A mockup of the user that the credits are for.
  ///   - group: The id of a group of reservations that can be released together.
  ///   - isDispatched: If `true`, the reservation is dispatched before the closure runs. Set it if
  ///     the closure calls the vendor.
  ///   - resumesDispatched: If `true`, the closure also runs if an earlier run with the same id
  ///     dispatched the reservation and did not settle it. The closure must then find out whether
  ///     the vendor has charged.
  ///   - staysAlive: If `true`, the reservation is extended regularly while the closure runs.
  ///   - body: The closure that uses the credits and decides how to settle the reservation.
  /// - Returns: The outcome of the settlement, with the value of the closure's decision.
  /// - Throws: ``InsufficientCredits``; ``ReservationAlreadyUsed``; any error of the closure; or
  ///   `RPCError` if the server cannot reserve or settle. After an error of the commit, call
  ///   ``reservation(_:of:)`` to find out the state of the reservation.
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
      request, isGeneratedID: id == nil, resumesDispatched: resumesDispatched)
    if isDispatched, !wasDispatched {
      try await dispatch(held, isGeneratedID: id == nil, resumesDispatched: resumesDispatched)
    }

    let decision: ReservationDecision<Value>
    let extensions = staysAlive ? extendRegularly(held, timeToLive: timeToLive) : nil
    defer { extensions?.cancel() }
    do {
      decision = try await body(held)
    } catch let error as NotCharged {
      await releaseIgnoringErrors(held, retryTimeout: options.boundedTimeout)
      throw error.error
    } catch {
      if !isDispatched, !wasDispatched { await releaseIgnoringErrors(held) }
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

  /// The parameters of the reservation to make.
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

  /// Reserves the credits, or finds the reservation of an earlier run.
  ///
  /// - Parameter isGeneratedID: True if the id was generated for this run, so no other run can use
  ///   it.
  private func hold(
    _ request: Request, isGeneratedID: Bool, resumesDispatched: Bool
  ) async throws -> (HeldReservation, wasDispatched: Bool) {
    let reserved: ReserveCreditsResponse
    var current: Reservation?
    do {
      reserved = try await request.reserve(self)
      // The response may be faster than the cancellation.
      if Task.isCancelled { throw RPCError(code: .cancelled, message: "the caller was cancelled") }
      // A replay returns the first response, so the current state has to be read.
      if reserved.success, reserved.replayed {
        current = try await reservation(request.id, of: request.user)
      }
    } catch {
      if isGeneratedID, Task.isCancelled { await undo(request) }
      throw error
    }
    guard reserved.success else {
      throw InsufficientCredits(
        remaining: Int(reserved.remaining), description: reserved.message)
    }
    if let found = current {
      let runs = found.state == .held || found.state == .dispatched && resumesDispatched
      guard runs else { throw ReservationAlreadyUsed(reservation: found) }
      if !isGeneratedID { current = try await extend(found, request) }
    }
    let reservation = current ?? reserved.reservation
    let held = HeldReservation(
      id: request.id, user: request.user,
      credits: reservation.map { Int($0.held) } ?? request.credits,
      expiresAt: reservation?.expiresAt?.date ?? .distantFuture,
      softLimitIsPassed: reserved.usage?.softLimitPassed ?? false, isResumed: current != nil)
    return (held, current?.state == .dispatched)
  }

  /// Extends the reservation of an earlier run, which may have used up most of its time to live.
  private func extend(_ found: Reservation, _ request: Request) async throws -> Reservation {
    do throws(RPCError) {
      let timeToLive = request.timeToLive
      return try await extend(request.id, of: request.user, timeToLive: timeToLive).reservation
        ?? found
    } catch {
      guard error.code == .failedPrecondition else { throw error }
      // It has expired meanwhile, or another run has settled it.
      throw ReservationAlreadyUsed(reservation: try await reservation(request.id, of: request.user))
    }
  }

  /// Dispatches the reservation before its closure runs.
  private func dispatch(
    _ held: HeldReservation, isGeneratedID: Bool, resumesDispatched: Bool
  ) async throws {
    let response: DispatchReservationResponse
    do {
      response = try await dispatch(held.id, of: held.user)
    } catch {
      // This run has not called the vendor. Another run with the same id may have.
      if isGeneratedID { await releaseIgnoringErrors(held) }
      throw error
    }
    // Another run has dispatched it, or the response to this run's first attempt was lost. The two
    // cases can be told apart only if no other run has the id.
    if response.replayed, !isGeneratedID, !resumesDispatched {
      throw ReservationAlreadyUsed(reservation: response.reservation ?? Reservation())
    }
  }

  /// Starts a task that extends a reservation at every third of its time to live until it is
  /// cancelled.
  ///
  /// Errors are ignored: the next extension makes up for one that fails.
  private func extendRegularly(
    _ held: HeldReservation, timeToLive: Duration?
  ) -> Task<Void, Never> {
    Task {
      while true {
        guard (try? await Task.sleep(for: (timeToLive ?? .seconds(900)) / 3)) != nil else { return }
        _ = try? await extend(held.id, of: held.user, timeToLive: timeToLive)
      }
    }
  }

  // MARK: Shielded calls

  private var bounded: Credits {
    Credits(stub: stub, options: options.bounded, shielded: shielded)
  }

  /// Commits or releases the held credits.
  ///
  /// - Parameter credits: The number of credits to commit; `nil` means all, 0 releases them.
  private func settle(
    _ held: HeldReservation, credits: Int?
  ) async throws(RPCError) -> CommitReservationResponse {
    try await shielded.run(retryTimeout: options.boundedTimeout) {
      [bounded] () async throws(RPCError) in
      try await bounded.commit(held.id, of: held.user, credits: credits)
    }
  }

  /// Releases a reservation, and ignores errors.
  ///
  /// If the release fails, a reservation that is held and not dispatched expires.
  private func releaseIgnoringErrors(
    _ held: HeldReservation, retryTimeout: Duration = .zero
  ) async {
    _ = try? await shielded.run(retryTimeout: retryTimeout) { [bounded] () async throws(RPCError) in
      try await bounded.release(held.id, of: held.user)
    }
  }

  /// Releases the credits of a request whose outcome is unknown.
  ///
  /// The request may still be in flight, so it is sent again first. The response says whether there
  /// is a reservation to release.
  private func undo(_ request: Request) async {
    try? await shielded.run { [bounded] () async throws(RPCError) in
      guard try await request.reserve(bounded).success else { return }
      _ = try await bounded.release(request.id, of: request.user)
    }
  }
}

extension ReservationState {
  /// The state's name in the protocol, without its prefix.
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
