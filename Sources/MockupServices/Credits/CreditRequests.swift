internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

// Conversions from the requests of `CreditService` to the domain's values.

extension ReserveCreditsRequest {
  /// Returns the reservation that a request with ``ReserveMode/checkOnly`` asks about, under an id
  /// without a meaning.
  func check() throws(RPCError) -> ReservationRequest {
    try reservation(UUID(), .normal)
  }

  /// Returns the reservation of a request with any other mode.
  func reservation() throws(RPCError) -> ReservationRequest {
    let mode: ReservationMode
    switch self.mode {
    case .unspecified, .normal: mode = .normal
    case .bestEffort: mode = .bestEffort
    case .checkOnly: throw .invalid("mode", "cannot be RESERVE_MODE_CHECK_ONLY in a batch")
    case .unrecognized(let number):
      throw .invalid("mode", "\(number) is not a supported value")
    }
    return try reservation(RequestFields.uuid(reservationID, "reservation_id"), mode)
  }

  private func reservation(
    _ id: @autoclosure () throws(RPCError) -> UUID, _ mode: ReservationMode
  ) throws(RPCError) -> ReservationRequest {
    let userID = try RequestFields.uuid(userID, "user_id")
    let id = try id()
    let mockupID = try RequestFields.optionalUUID(mockupID, "mockup_id")
    let groupID = try RequestFields.optionalUUID(groupID, "group_id")
    let operation = try spendingOperation()
    let timeToLive =
      try RequestFields.timeToLive(timeToLiveSeconds, "time_to_live_seconds")
      ?? ReservationRequest.defaultTimeToLive
    do {
      return try ReservationRequest(
        userID: userID, id: id, credits: credits, operation: operation, timeToLive: timeToLive,
        mockupID: mockupID, groupID: groupID, mode: mode)
    } catch {
      switch error {
      case .creditsBelowOne:
        throw .creditsBelowOne(credits)
      case .operationReservesNothing:
        throw .operationReservesNothing
      case .timeToLiveOutOfRange:
        throw .timeToLiveOutOfRange(timeToLiveSeconds, "time_to_live_seconds")
      }
    }
  }

  private func spendingOperation() throws(RPCError) -> MockupCore.Operation {
    switch operation {
    case .unspecified, .generation: return .generation
    case .regeneration: return .regeneration
    case .refund: throw .operationReservesNothing
    case .unrecognized(let number):
      throw .invalid("operation", "\(number) is not a supported value")
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
      action: .commit(
        id: commitID, credits: credits, isFinal: final ?? true, allowsOverrun: allowOverrun))
  }
}

extension DispatchReservationRequest {
  func settlement() throws(RPCError) -> Settlement {
    Settlement(
      userID: try RequestFields.uuid(userID, "user_id"),
      reservationID: try RequestFields.uuid(reservationID, "reservation_id"),
      action: .dispatch(
        timeToLive: try RequestFields.timeToLive(timeToLiveSeconds, "time_to_live_seconds")))
  }
}

extension ExtendReservationRequest {
  func settlement() throws(RPCError) -> Settlement {
    let timeToLive = try RequestFields.timeToLive(timeToLiveSeconds, "time_to_live_seconds")
    return Settlement(
      userID: try RequestFields.uuid(userID, "user_id"),
      reservationID: try RequestFields.uuid(reservationID, "reservation_id"),
      action: .extend(timeToLive: timeToLive ?? ReservationRequest.defaultTimeToLive))
  }
}

extension RefundCreditsRequest {
  func refund() throws(RPCError) -> Refund {
    if let credits, credits < 1 { throw .creditsBelowOne(credits) }
    return Refund(
      userID: try RequestFields.uuid(userID, "user_id"),
      id: try RequestFields.uuid(refundID, "refund_id"),
      entryID: try RequestFields.uuid(entryID, "entry_id"),
      credits: credits)
  }
}

extension ListReservationsRequest {
  func filter() throws(RPCError) -> ReservationFilter {
    var filter = ReservationFilter(
      groupID: try RequestFields.optionalUUID(groupID, "group_id"),
      mockupID: try RequestFields.optionalUUID(mockupID, "mockup_id"))
    for state in states {
      guard let state = MockupCore.ReservationState(state) else {
        throw .invalid("states", "\(state.rawValue) is not a supported value")
      }
      filter.states.insert(state)
    }
    return filter
  }
}

extension MockupCore.ReservationState {
  fileprivate init?(_ state: MockupAPI.ReservationState) {
    switch state {
    case .held: self = .held
    case .dispatched: self = .dispatched
    case .unresolved: self = .unresolved
    case .committed: self = .committed
    case .released: self = .released
    case .expired: self = .expired
    case .refused: self = .refused
    case .unspecified, .unrecognized: return nil
    }
  }
}

extension ReleaseReservationRequest {
  /// Returns the group to release, or `nil` if the request is about a single reservation.
  func group() throws(RPCError) -> (userID: UUID, groupID: UUID)? {
    guard let groupID = try RequestFields.optionalUUID(groupID, "group_id") else { return nil }
    guard reservationID.isEmpty else {
      throw .invalid("group_id", "cannot be combined with reservation_id")
    }
    return (try RequestFields.uuid(userID, "user_id"), groupID)
  }

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
    "operation", "must be OPERATION_GENERATION or OPERATION_REGENERATION")
}
