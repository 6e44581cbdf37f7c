public import FoundationEssentials
public import MockupAPI
public import TTRPC

/// A user's credits: set aside, spent, given back, counted.
///
/// Every method may be called again with the same ids: it has one effect, and the first answer.
/// All throw ``RPCError``; `proto/mockups/v1/credits.proto` says with which codes.
public struct Credits: Sendable {
  let stub: CreditServiceClient
  let options: CallOptions

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
  public func reserve(
    for user: UUID, credits: Int, id: UUID = UUID(),
    operation: MockupAPI.Operation = .generation, timeToLive: Duration? = nil, mockup: UUID? = nil
  ) async throws(RPCError) -> ReserveCreditsResponse {
    let request = ReserveCreditsRequest(
      userID: user.wireText,
      credits: try .wire(credits, "credits"),
      reservationID: id.wireText,
      operation: operation,
      mode: .normal,
      timeToLiveSeconds: try .seconds(timeToLive),
      mockupID: mockup?.wireText ?? "")
    return try await stub.reserveCredits(request, options: options)
  }

  /// Says what ``reserve(for:credits:id:operation:timeToLive:mockup:)`` would say, and sets nothing aside.
  public func check(for user: UUID, credits: Int) async throws(RPCError) -> ReserveCreditsResponse {
    let request = ReserveCreditsRequest(
      userID: user.wireText, credits: try .wire(credits, "credits"), mode: .checkOnly)
    return try await stub.reserveCredits(request, options: options)
  }

  /// Spends what a reservation holds, or a part of it; the rest is free again.
  ///
  /// - Parameters:
  ///   - credits: How many; `nil`: all. 0 releases.
  ///   - commitID: Under which the call can be sent again; `nil`: the reservation's own id.
  public func commit(
    _ reservation: UUID, of user: UUID, credits: Int? = nil, commitID: UUID? = nil
  ) async throws(RPCError) -> CommitReservationResponse {
    var request = CommitReservationRequest(
      userID: user.wireText, reservationID: reservation.wireText,
      commitID: commitID?.wireText ?? "")
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

  /// A reservation as it stands now.
  public func reservation(_ id: UUID, of user: UUID) async throws(RPCError) -> Reservation {
    let request = GetReservationRequest(userID: user.wireText, reservationID: id.wireText)
    let response = try await stub.getReservation(request, options: options)
    guard let reservation = response.reservation else {
      throw RPCError(code: .internalError, message: "the answer has no reservation")
    }
    return reservation
  }

  /// A user's credits in a year and one of its months.
  ///
  /// - Parameters:
  ///   - year: `nil`: this one.
  ///   - month: 1 to 12; `nil`: this one's number.
  public func usage(
    of user: UUID, year: Int? = nil, month: Int? = nil
  ) async throws(RPCError) -> GetCreditUsageResponse {
    let request = GetCreditUsageRequest(
      userID: user.wireText, year: try .wire(year ?? 0, "year"),
      month: try .wire(month ?? 0, "month"))
    return try await stub.getCreditUsage(request, options: options)
  }

  /// A user's ledger, the newest entry first, fetched page by page as it is read.
  ///
  /// - Parameters:
  ///   - year: Only this one; `nil`: all.
  ///   - month: Only this one of each year, 1 to 12; `nil`: all.
  public func ledger(of user: UUID, year: Int? = nil, month: Int? = nil) -> Ledger {
    Ledger(credits: self, user: user, year: year, month: month)
  }

  func page(
    of ledger: Ledger, token: String
  ) async throws(RPCError) -> ListCreditUsageResponse {
    let request = ListCreditUsageRequest(
      userID: ledger.user.wireText, year: try .wire(ledger.year ?? 0, "year"),
      month: try .wire(ledger.month ?? 0, "month"), pageSize: Ledger.pageSize, pageToken: token)
    return try await stub.listCreditUsage(request, options: options)
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
  fileprivate static func seconds(_ timeToLive: Duration?) throws(RPCError) -> Int32 {
    guard let timeToLive else { return 0 }
    guard timeToLive > .zero else {
      throw RPCError(code: .invalidArgument, message: "timeToLive \(timeToLive) is not positive")
    }
    let (seconds, attoseconds) = timeToLive.components
    return try wire(Int(seconds) + (attoseconds > 0 ? 1 : 0), "timeToLive")
  }
}
