extension RequestTemplate {
  static let creditService = "mockups.v1.CreditService"

  /// A call of grpc.health.v1.Health/Check with a payload of 64 bytes, padded by an unknown field.
  static var health: RequestTemplate {
    let size = 64
    let paddingHeader = 3
    var payload = MessageWriter()
    payload.string(1, creditService)
    let padding = size - payload.bytes.count - paddingHeader
    payload.message(1000, [UInt8](repeating: UInt8(ascii: "x"), count: padding))
    return RequestTemplate(
      service: "grpc.health.v1.Health", method: "Check", payload: payload.bytes)
  }

  /// A call of ReserveCredits for one credit of a generation.
  static var reserveCredits: RequestTemplate {
    var payload = MessageWriter()
    let user = payload.string(1, Identifiers.user(0))
    payload.varint(2, 1)
    let reservation = payload.string(3, Identifiers.user(0))
    payload.varint(4, 1)
    return RequestTemplate(
      service: creditService, method: "ReserveCredits", payload: payload.bytes,
      user: user, reservation: reservation)
  }

  /// A call of CommitReservation for all credits of a reservation.
  static var commitReservation: RequestTemplate {
    var payload = MessageWriter()
    let user = payload.string(1, Identifiers.user(0))
    let reservation = payload.string(2, Identifiers.user(0))
    return RequestTemplate(
      service: creditService, method: "CommitReservation", payload: payload.bytes,
      user: user, reservation: reservation)
  }

  /// A call of GetCreditUsage for the current year and month.
  static var getCreditUsage: RequestTemplate {
    var payload = MessageWriter()
    let user = payload.string(1, Identifiers.user(0))
    return RequestTemplate(
      service: creditService, method: "GetCreditUsage", payload: payload.bytes, user: user)
  }
}
