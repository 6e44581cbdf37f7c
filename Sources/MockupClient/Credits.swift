public import FoundationEssentials
public import MockupAPI
public import TTRPC
public import TimeOrderedID

/// A user's credits: reserved, spent, released, counted.
///
/// Every method may be called again with the same ids: it has one effect, and the first answer.
/// All throw ``RPCError``; `proto/mockups/v1/credits.proto` says with which codes. Where the caller's
/// task is cancelled, a call ends at once, and its effect is unknown; what
/// ``withReservation(for:credits:id:operation:timeToLive:mockup:group:isDispatched:resumesDispatched:staysAlive:_:)``
/// commits and releases is not cancelled.
public struct Credits: Sendable {
  let stub: CreditServiceClient
  let options: CallOptions
  /// For what a reservation's closure has decided.
  let shielded: ShieldedCalls

  /// Sets credits aside.
  ///
  /// Too few credits are an answer, not an error: look at `success`.
  ///
  /// - Parameters:
  ///   - credits: At least 1.
  ///   - id: Under which the reservation is known, and the call can be sent again.
  ///   - timeToLive: How long the credits stay set aside, rounded up to whole seconds, up to a day;
  ///     `nil`: a quarter of an hour.
  ///   - mockup: A mockup of the user that this is for.
  ///   - group: Reservations of one group can be released together.
  ///   - mode: Whether it may be fewer credits where there are fewer: look at `granted` then.
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
      timeToLiveSeconds: try .seconds(timeToLive),
      mockupID: mockup?.wireText ?? "",
      groupID: group?.wireText ?? "")
    return try await stub.reserveCredits(request, options: options)
  }

  /// Says what ``reserve(for:credits:id:operation:timeToLive:mockup:group:mode:)`` would say, and sets nothing aside.
  public func check(for user: UUID, credits: Int) async throws(RPCError) -> ReserveCreditsResponse {
    let request = ReserveCreditsRequest(
      userID: user.wireText, credits: try .wire(credits, "credits"), mode: .checkOnly)
    return try await stub.reserveCredits(request, options: options)
  }

  /// Says that the vendor is about to be called: from here on the reservation's time may pass without
  /// its credits being free.
  ///
  /// - Parameter timeToLive: Extends it as well; `nil`: it ends when it did.
  public func dispatch(
    _ reservation: UUID, of user: UUID, timeToLive: Duration? = nil
  ) async throws(RPCError) -> DispatchReservationResponse {
    let request = DispatchReservationRequest(
      userID: user.wireText, reservationID: reservation.wireText,
      timeToLiveSeconds: try .seconds(timeToLive))
    return try await stub.dispatchReservation(request, options: options)
  }

  /// Keeps a reservation's credits set aside for so long from now; `nil`: a quarter of an hour.
  public func extend(
    _ reservation: UUID, of user: UUID, timeToLive: Duration? = nil
  ) async throws(RPCError) -> ExtendReservationResponse {
    let request = ExtendReservationRequest(
      userID: user.wireText, reservationID: reservation.wireText,
      timeToLiveSeconds: try .seconds(timeToLive))
    return try await stub.extendReservation(request, options: options)
  }

  /// Spends what a reservation holds, or a part of it; the rest is free again.
  ///
  /// - Parameters:
  ///   - credits: How many; `nil`: all that are left. 0 releases.
  ///   - commitID: Under which the call can be sent again; `nil`: the reservation's own id. Each of
  ///     several commits needs one of its own.
  ///   - isFinal: Whether the rest is free again; otherwise it stays set aside for more commits.
  ///   - allowsOverrun: Whether it may be more than is left, as long as that is available.
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

  /// Gives back what a reservation holds.
  public func release(
    _ reservation: UUID, of user: UUID
  ) async throws(RPCError) -> ReleaseReservationResponse {
    let request = ReleaseReservationRequest(
      userID: user.wireText, reservationID: reservation.wireText)
    return try await stub.releaseReservation(request, options: options)
  }

  /// Gives back what the open reservations of a group hold.
  public func releaseGroup(
    _ group: UUID, of user: UUID
  ) async throws(RPCError) -> ReleaseReservationResponse {
    let request = ReleaseReservationRequest(userID: user.wireText, groupID: group.wireText)
    return try await stub.releaseReservation(request, options: options)
  }

  /// Gives back what an entry of the ledger charged, or a part of it.
  ///
  /// - Parameters:
  ///   - credits: How many; `nil`: all that were not refunded yet.
  ///   - id: Under which the call can be sent again.
  public func refund(
    _ entry: UUID, of user: UUID, credits: Int? = nil, id: UUID = .timeOrdered()
  ) async throws(RPCError) -> RefundCreditsResponse {
    var request = RefundCreditsRequest(
      userID: user.wireText, refundID: id.wireText, entryID: entry.wireText)
    if let credits { request.credits = try .wire(credits, "credits") }
    return try await stub.refundCredits(request, options: options)
  }

  /// A reservation as it stands now.
  public func reservation(_ id: UUID, of user: UUID) async throws(RPCError) -> Reservation {
    let request = GetReservationRequest(userID: user.wireText, reservationID: id.wireText)
    let response = try await stub.getReservation(request, options: options)
    guard let reservation = response.reservation else {
      throw RPCError(code: .internalError, message: "the answer has no reservation")
    }
    return reservation
  }
}

extension Int32 {
  /// A number as it travels.
  ///
  /// - Throws: INVALID_ARGUMENT where 32 bits do not hold it.
  static func wire(_ number: Int, _ name: String) throws(RPCError) -> Int32 {
    guard let number = Int32(exactly: number) else {
      throw RPCError(code: .invalidArgument, message: "\(name) \(number) is out of range")
    }
    return number
  }

  /// A time to live as it travels: 0 where the server is to choose.
  static func seconds(_ timeToLive: Duration?) throws(RPCError) -> Int32 {
    guard let timeToLive else { return 0 }
    guard timeToLive > .zero else {
      throw RPCError(code: .invalidArgument, message: "timeToLive \(timeToLive) is not positive")
    }
    let (seconds, attoseconds) = timeToLive.components
    return try wire(Int(seconds) + (attoseconds > 0 ? 1 : 0), "timeToLive")
  }
}
