internal import FoundationEssentials
internal import MockupAPI
internal import MockupStore
internal import Mockups
internal import TTRPC

// From the requests of `CreditService` to the domain's values.

extension ReserveCreditsRequest {
  /// What is asked for with ``ReserveMode/checkOnly``.
  func check() throws(RPCError) -> (userID: UUID, credits: Int32) {
    let userID = try RequestFields.uuid(userID, "user_id")
    guard credits >= 1 else { throw .creditsBelowOne(credits) }
    _ = try spendingOperation()
    return (userID, credits)
  }

  /// What is asked for otherwise.
  func reservation() throws(RPCError) -> ReservationRequest {
    if case .unrecognized(let number) = mode {
      throw .invalid("mode", "\(number) is no mode of this server")
    }
    let userID = try RequestFields.uuid(userID, "user_id")
    let id = try RequestFields.uuid(reservationID, "reservation_id")
    let mockupID = try RequestFields.optionalUUID(mockupID, "mockup_id")
    let operation = try spendingOperation()
    let timeToLive: Duration =
      timeToLiveSeconds == 0
      ? ReservationRequest.defaultTimeToLive : .seconds(Int64(timeToLiveSeconds))
    do {
      return try ReservationRequest(
        userID: userID, id: id, credits: credits, operation: operation, timeToLive: timeToLive,
        mockupID: mockupID)
    } catch {
      switch error {
      case .creditsBelowOne:
        throw .creditsBelowOne(credits)
      case .operationReservesNothing:
        throw .operationReservesNothing
      case .timeToLiveOutOfRange:
        let longest = ReservationRequest.maximumTimeToLive.components.seconds
        throw .invalid(
          "time_to_live_seconds", "\(timeToLiveSeconds) is not within 1 and \(longest)")
      }
    }
  }

  private func spendingOperation() throws(RPCError) -> Mockups.Operation {
    switch operation {
    case .unspecified, .generation: return .generation
    case .regeneration: return .regeneration
    case .refund: throw .operationReservesNothing
    case .unrecognized(let number):
      throw .invalid("operation", "\(number) is no operation of this server")
    }
  }
}

extension CommitReservationRequest {
  func settlement() throws(RPCError) -> Settlement {
    let userID = try RequestFields.uuid(userID, "user_id")
    let reservationID = try RequestFields.uuid(reservationID, "reservation_id")
    let commitID = try RequestFields.optionalUUID(commitID, "commit_id") ?? reservationID
    if let credits, credits < 0 { throw .invalid("credits", "\(credits) is negative") }
    return Settlement(
      userID: userID, reservationID: reservationID,
      action: .commit(id: commitID, credits: credits))
  }
}

extension ReleaseReservationRequest {
  func settlement() throws(RPCError) -> Settlement {
    Settlement(
      userID: try RequestFields.uuid(userID, "user_id"),
      reservationID: try RequestFields.uuid(reservationID, "reservation_id"),
      action: .release)
  }
}

extension RPCError {
  fileprivate static func creditsBelowOne(_ credits: Int32) -> RPCError {
    .invalid("credits", "\(credits) is below 1")
  }

  fileprivate static let operationReservesNothing = RPCError.invalid(
    "operation", "only a generation or a regeneration can be reserved for")
}
