internal import FoundationEssentials
internal import MockupAPI
internal import Mockups
internal import TTRPC

/// What the fields of a request may hold. Each reader names the field it refuses.
enum RequestFields {
  /// The longest page of a list, and the one that is taken where the request does not say.
  static let maximumPageSize: Int32 = 1000
  static let defaultPageSize: Int32 = 100

  /// A UUID as its 36 characters.
  static func uuid(_ text: String, _ field: String) throws(RPCError) -> UUID {
    guard !text.isEmpty else { throw .invalid(field, "is missing") }
    guard let id = UUID(wireText: text) else {
      throw .invalid(field, "is no UUID of 36 characters")
    }
    return id
  }

  /// As ``uuid(_:_:)``, or nothing where it is empty.
  static func optionalUUID(_ text: String, _ field: String) throws(RPCError) -> UUID? {
    text.isEmpty ? nil : try uuid(text, field)
  }

  /// A year, or nothing for 0.
  static func year(_ number: Int32, _ field: String) throws(RPCError) -> Int32? {
    guard (0...9999).contains(number) else { throw .invalid(field, "\(number) is no year") }
    return number == 0 ? nil : number
  }

  /// A month, or nothing for 0.
  static func month(_ number: Int32, _ field: String) throws(RPCError) -> Int32? {
    guard (0...12).contains(number) else { throw .invalid(field, "\(number) is no month") }
    return number == 0 ? nil : number
  }

  /// A time to live, or nothing for 0.
  static func timeToLive(_ seconds: Int32, _ field: String) throws(RPCError) -> Duration? {
    guard seconds != 0 else { return nil }
    let timeToLive = Duration.seconds(Int64(seconds))
    guard ReservationRequest.allows(timeToLive: timeToLive) else {
      throw .timeToLiveOutOfRange(seconds, field)
    }
    return timeToLive
  }

  static func pageSize(_ number: Int32, _ field: String) throws(RPCError) -> Int32 {
    guard (0...maximumPageSize).contains(number) else {
      throw .invalid(field, "\(number) is not within 1 and \(maximumPageSize)")
    }
    return number == 0 ? defaultPageSize : number
  }

  /// A text of so many characters, without U+0000, which the database cannot hold.
  @discardableResult
  static func length(
    _ text: String, _ range: ClosedRange<Int>, _ field: String
  ) throws(RPCError) -> String {
    // Scalars, as the database counts them.
    guard range.contains(text.unicodeScalars.count) else {
      throw text.isEmpty
        ? .invalid(field, "is missing")
        : .invalid(field, "is longer than \(range.upperBound) characters")
    }
    guard !text.utf8.contains(0) else { throw .invalid(field, "has the character U+0000") }
    return text
  }

  /// A text of so many bytes, without U+0000, which the database cannot hold.
  static func bytes(
    _ text: String, _ range: ClosedRange<Int>, _ field: String
  ) throws(RPCError) {
    guard text.utf8.count <= range.upperBound else {
      throw .invalid(field, "is longer than \(range.upperBound) bytes")
    }
    try length(text, range, field)
  }
}

extension RPCError {
  static func timeToLiveOutOfRange(_ seconds: Int32, _ field: String) -> RPCError {
    let longest = ReservationRequest.maximumTimeToLive.components.seconds
    return .invalid(field, "\(seconds) is not within 1 and \(longest)")
  }

  /// A request whose field cannot be used.
  static func invalid(_ field: String, _ description: String) -> RPCError {
    RPCError(
      code: .invalidArgument,
      message: "\(field) \(description)",
      details: [.badRequest([FieldViolation(field: field, description: description)])])
  }
}
