/// A request of a method, in which only the ids differ from call to call.
struct Request {
  static let creditService = "mockups.v1.CreditService"

  var service: String
  var method: String
  var payload: [UInt8]
  /// The offset of the user's id in the payload; `nil` if the request has no user.
  var user: Int?
  /// The offset of the reservation's id in the payload; `nil` if the request has none.
  var reservation: Int?

  /// A call of grpc.health.v1.Health/Check with a payload of 64 bytes, padded by an unknown field.
  static var health: Request {
    let size = 64
    let paddingHeader = 3
    var payload = MessageWriter()
    payload.string(1, creditService)
    let padding = size - payload.bytes.count - paddingHeader
    payload.message(1000, [UInt8](repeating: UInt8(ascii: "x"), count: padding))
    return Request(service: "grpc.health.v1.Health", method: "Check", payload: payload.bytes)
  }

  /// A call of ReserveCredits for one credit of a generation.
  static var reserveCredits: Request {
    var payload = MessageWriter()
    let user = payload.string(1, Identifiers.user(0))
    payload.varint(2, 1)
    let reservation = payload.string(3, Identifiers.user(0))
    payload.varint(4, 1)
    return Request(
      service: creditService, method: "ReserveCredits", payload: payload.bytes,
      user: user, reservation: reservation)
  }

  /// A call of CommitReservation for all credits of a reservation.
  static var commitReservation: Request {
    var payload = MessageWriter()
    let user = payload.string(1, Identifiers.user(0))
    let reservation = payload.string(2, Identifiers.user(0))
    return Request(
      service: creditService, method: "CommitReservation", payload: payload.bytes,
      user: user, reservation: reservation)
  }

  /// A call of GetCreditUsage for the current year and month.
  static var getCreditUsage: Request {
    var payload = MessageWriter()
    let user = payload.string(1, Identifiers.user(0))
    return Request(
      service: creditService, method: "GetCreditUsage", payload: payload.bytes, user: user)
  }
}
