internal import FoundationEssentials
internal import MockupAPI
internal import MockupCore
internal import TTRPC

/// The validation of request fields.
///
/// Each function throws INVALID_ARGUMENT with the name of the invalid field.
enum RequestFields {
  /// The maximum page size of a list, and the page size if the request has none.
  static let maximumPageSize: Int32 = 1000
  static let defaultPageSize: Int32 = 100

  /// Parses a UUID of 36 characters.
  static func uuid(_ text: String, _ field: String) throws(RPCError) -> UUID {
    guard !text.isEmpty else { throw .invalid(field, "is missing") }
    guard let id = UUID(wireText: text) else {
      throw .invalid(field, "is not a UUID of 36 characters")
    }
    return id
  }

  /// Parses an optional UUID; empty becomes `nil`.
  static func optionalUUID(_ text: String, _ field: String) throws(RPCError) -> UUID? {
    text.isEmpty ? nil : try uuid(text, field)
  }

  /// Validates a year; 0 becomes `nil`.
  static func year(_ number: Int32, _ field: String) throws(RPCError) -> Int32? {
    guard (0...9999).contains(number) else { throw .invalid(field, "\(number) is not a year") }
    return number == 0 ? nil : number
  }

  /// Validates a month; 0 becomes `nil`.
  static func month(_ number: Int32, _ field: String) throws(RPCError) -> Int32? {
    guard (0...12).contains(number) else { throw .invalid(field, "\(number) is not a month") }
    return number == 0 ? nil : number
  }

  /// Validates a time to live in seconds; 0 becomes `nil`.
  static func timeToLive(_ seconds: Int32, _ field: String) throws(RPCError) -> Duration? {
    guard seconds != 0 else { return nil }
    let timeToLive = Duration.seconds(Int64(seconds))
    guard ReservationRequest.allows(timeToLive: timeToLive) else {
      throw .timeToLiveOutOfRange(seconds, field)
    }
    return timeToLive
  }

  /// Returns the number of items of a page.
  ///
  /// 0 becomes the default, and a number above the maximum becomes the maximum.
  ///
  /// See <https://google.aip.dev/158>.
  static func pageSize(_ number: Int32, _ field: String) throws(RPCError) -> Int32 {
    guard number >= 0 else { throw .invalid(field, "\(number) is negative") }
    return number == 0 ? defaultPageSize : min(number, maximumPageSize)
  }

  /// Validates a text by its number of characters, and refuses U+0000, which PostgreSQL cannot
  /// store.
  @discardableResult
  static func length(
    _ text: String, _ range: ClosedRange<Int>, _ field: String
  ) throws(RPCError) -> String {
    // PostgreSQL counts Unicode scalars as characters.
    guard range.contains(text.unicodeScalars.count) else {
      throw text.isEmpty
        ? .invalid(field, "is missing")
        : .invalid(field, "is longer than \(range.upperBound) characters")
    }
    guard !text.utf8.contains(0) else { throw .invalid(field, "contains the character U+0000") }
    return text
  }

  /// Validates a text by its number of bytes, and refuses U+0000, which PostgreSQL cannot store.
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
    return .invalid(field, "\(seconds) is not between 1 and \(longest)")
  }

  /// Returns the error for a request with an invalid field.
  static func invalid(_ field: String, _ description: String) -> RPCError {
    RPCError(
      code: .invalidArgument,
      message: "\(field) \(description)",
      details: [.badRequest([FieldViolation(field: field, description: description)])])
  }
}
