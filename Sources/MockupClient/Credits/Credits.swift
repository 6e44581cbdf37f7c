public import FoundationEssentials
public import MockupAPI
public import TTRPC
public import TimeOrderedID

/// The calls that reserve, commit, release, refund and report a user's credits.
///
/// Every method is idempotent: a retry with the same ids has no second effect, and returns the
/// first response with `replayed` set. Every method throws `RPCError`.
/// `proto/mockups/v1/credits.proto` lists the codes.
///
/// If the caller's task is cancelled, a call ends at once and its outcome is unknown. The commits
/// and releases of `withReservation` are not cancelled.
public struct Credits: Sendable {
  let stub: CreditServiceClient
  let options: CallOptions
  /// Makes the commits and releases of `withReservation`, even if the caller's task is cancelled.
  let shielded: ShieldedCalls

  /// Reserves credits for a user.
  ///
  /// Insufficient credits are not an error: `success` is then `false` in the response.
  ///
  /// - Parameters:
  ///   - user: The user whose budget is charged. The call fails with NOT_FOUND if the user is
  ///     unknown.
  ///   - credits: The number of credits, at least 1.
  ///   - id: The id of the reservation, which is also the idempotency key of the call. An id that
  ///     was refused for lack of credits stays refused: use a new id for a new attempt.
  ///   - operation: The kind of charge in the ledger: `.generation` or `.regeneration`.
  ///   - timeToLive: The reservation's time to live, rounded up to whole seconds, up to 24 hours;
  ///     `nil` means 15 minutes.
  ///   - mockup: A mockup of the user that the credits are for.
  ///   - group: The id of a group of reservations that can be released together.
  ///   - mode: `.bestEffort` reserves fewer credits if fewer are available; `granted` in the
  ///     response has their number.
  public func reserve(
    for user: UUID, credits: Int, id: UUID = .timeOrdered(),
    operation: MockupAPI.Operation = .generation, timeToLive: Duration? = nil,
    mockup: UUID? = nil, group: UUID? = nil, mode: ReserveMode = .normal
  ) async throws(RPCError) -> ReserveCreditsResponse {
    let request = ReserveCreditsRequest(
      userID: user.wireText,
      credits: try .wire(credits, "credits"),
      reservationID: id.wireText,
      operation: operation,
      mode: mode,
      timeToLiveSeconds: try .seconds(timeToLive, "timeToLive"),
      mockupID: mockup?.wireText ?? "",
      groupID: group?.wireText ?? "")
    return try await stub.reserveCredits(request, options: options)
  }

  /// Returns the response that a reservation would get now, without reserving anything.
  ///
  /// For the parameters see
  /// ``reserve(for:credits:id:operation:timeToLive:mockup:group:mode:)``.
  public func check(
    for user: UUID, credits: Int, operation: MockupAPI.Operation = .generation,
    timeToLive: Duration? = nil, mockup: UUID? = nil, group: UUID? = nil
  ) async throws(RPCError) -> ReserveCreditsResponse {
    try await reserve(
      for: user, credits: credits, operation: operation, timeToLive: timeToLive, mockup: mockup,
      group: group, mode: .checkOnly)
  }

  /// Marks a reservation as dispatched: the vendor is about to be called.
  ///
  /// A dispatched reservation that expires becomes `UNRESOLVED`, and its credits stay held, because
  /// the vendor may have charged.
  ///
  /// - Parameters:
  ///   - reservation: The id of a reservation that is HELD or DISPATCHED. The call fails with
  ///     FAILED_PRECONDITION for any other.
  ///   - user: The owner of the reservation.
  ///   - timeToLive: If given, also extends the reservation, as ``extend(_:of:timeToLive:)`` does;
  ///     `nil` leaves its expiry unchanged.
  public func dispatch(
    _ reservation: UUID, of user: UUID, timeToLive: Duration? = nil
  ) async throws(RPCError) -> DispatchReservationResponse {
    let request = DispatchReservationRequest(
      userID: user.wireText, reservationID: reservation.wireText,
      timeToLiveSeconds: try .seconds(timeToLive, "timeToLive"))
    return try await stub.dispatchReservation(request, options: options)
  }

  /// Extends a reservation to expire after a time from now.
  ///
  /// If the reservation already expires later, its expiry is unchanged.
  ///
  /// - Parameters:
  ///   - reservation: The id of a reservation that is HELD or DISPATCHED. The call fails with
  ///     FAILED_PRECONDITION for any other.
  ///   - user: The owner of the reservation.
  ///   - timeToLive: The time from now, rounded up to whole seconds, up to 24 hours; `nil` means 15
  ///     minutes.
  public func extend(
    _ reservation: UUID, of user: UUID, timeToLive: Duration? = nil
  ) async throws(RPCError) -> ExtendReservationResponse {
    let request = ExtendReservationRequest(
      userID: user.wireText, reservationID: reservation.wireText,
      timeToLiveSeconds: try .seconds(timeToLive, "timeToLive"))
    return try await stub.extendReservation(request, options: options)
  }

  /// Commits the credits that a reservation holds, or some of them.
  ///
  /// - Parameters:
  ///   - reservation: The id of an open reservation (HELD, DISPATCHED or UNRESOLVED), or of an
  ///     expired one if its credits are still available.
  ///   - user: The owner of the reservation.
  ///   - credits: The number of credits; `nil` means all that are left, 0 releases them.
  ///   - commitID: The idempotency key of the call; `nil` means the reservation's own id. Each of
  ///     several commits of a reservation needs its own id.
  ///   - isFinal: If `true`, the remaining credits are released; otherwise they stay held for more
  ///     commits.
  ///   - allowsOverrun: If `true`, `credits` may exceed the credits that are left, by up to the
  ///     available credits.
  public func commit(
    _ reservation: UUID, of user: UUID, credits: Int? = nil, commitID: UUID? = nil,
    isFinal: Bool = true, allowsOverrun: Bool = false
  ) async throws(RPCError) -> CommitReservationResponse {
    var request = CommitReservationRequest(
      userID: user.wireText, reservationID: reservation.wireText,
      commitID: commitID?.wireText ?? "", final: isFinal, allowOverrun: allowsOverrun)
    if let credits { request.credits = try .wire(credits, "credits") }
    return try await stub.commitReservation(request, options: options)
  }

  /// Releases the credits that a reservation holds.
  public func release(
    _ reservation: UUID, of user: UUID
  ) async throws(RPCError) -> ReleaseReservationResponse {
    let request = ReleaseReservationRequest(
      userID: user.wireText, reservationID: reservation.wireText)
    return try await stub.releaseReservation(request, options: options)
  }

  /// Releases the credits that the open reservations of a group hold.
  public func releaseGroup(
    _ group: UUID, of user: UUID
  ) async throws(RPCError) -> ReleaseReservationResponse {
    let request = ReleaseReservationRequest(userID: user.wireText, groupID: group.wireText)
    return try await stub.releaseReservation(request, options: options)
  }

  /// Refunds the credits that a ledger entry charged, or some of them.
  ///
  /// - Parameters:
  ///   - entry: The id of the ledger entry, which must be a charge.
  ///   - user: The user who was charged.
  ///   - credits: The number of credits, at least 1; `nil` means all that were not yet refunded.
  ///   - id: The idempotency key of the call.
  public func refund(
    _ entry: UUID, of user: UUID, credits: Int? = nil, id: UUID = .timeOrdered()
  ) async throws(RPCError) -> RefundCreditsResponse {
    var request = RefundCreditsRequest(
      userID: user.wireText, refundID: id.wireText, entryID: entry.wireText)
    if let credits { request.credits = try .wire(credits, "credits") }
    return try await stub.refundCredits(request, options: options)
  }

  /// Returns a reservation in its current state.
  public func reservation(_ id: UUID, of user: UUID) async throws(RPCError) -> Reservation {
    let request = GetReservationRequest(userID: user.wireText, reservationID: id.wireText)
    let response = try await stub.getReservation(request, options: options)
    guard let reservation = response.reservation else {
      throw RPCError(code: .internalError, message: "the response has no reservation")
    }
    return reservation
  }
}
