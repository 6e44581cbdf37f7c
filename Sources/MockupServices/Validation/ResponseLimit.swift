internal import ProtobufC
public import TTRPC

/// The maximum size of a response, and of a page of a list.
public struct ResponseLimit: Sendable {
  /// The bytes of a response apart from its rows: the envelope, a page token, and totals.
  private static let overheadBytes = 512
  /// The bytes of a row's tag and length.
  private static let rowOverheadBytes = 6

  /// The maximum size of a row, in bytes.
  let bytes: Int
  /// The size in bytes after which a page ends, even if it has fewer rows than requested.
  var pageBytes: Int { min(bytes, 1 << 20) }

  /// Creates the limit for a server.
  ///
  /// - Parameter maximumMessageSize: The maximum size of a message that the server sends, in bytes.
  public init(maximumMessageSize: Int = WireLimits.protocolMaximumMessageSize) {
    bytes = max(maximumMessageSize - Self.overheadBytes, Self.overheadBytes)
  }

  /// The maximum size of the answer to an item of a batch, in bytes: a reservation with the usage,
  /// a created mockup with its scene, or an error.
  private static let itemBytes = 2000

  /// Checks that the answers to all items of a batch fit, before anything is written.
  ///
  /// With the default message size, all batches fit.
  ///
  /// - Throws: INVALID_ARGUMENT if they may not.
  func check(items count: Int, _ field: String) throws(RPCError) {
    let maximum = max(bytes / Self.itemBytes, 1)
    guard count <= maximum else {
      throw .invalid(
        field, "\(count) results are more than the \(maximum) that fit into a response")
    }
  }

  func fits(_ message: some ProtobufMessage) -> Bool {
    message.byteCount <= bytes
  }

  /// Checks the size of a row that is the only one in its response.
  ///
  /// - Parameter name: The row's name in the error message.
  /// - Throws: FAILED_PRECONDITION if the row is too large for a response.
  func checked<Message: ProtobufMessage>(
    _ message: Message, _ name: @autoclosure () -> String
  ) throws(RPCError) -> Message {
    let count = message.byteCount
    guard count <= bytes else { throw .rowTooLong(name(), count, limit: bytes) }
    return message
  }

  /// Converts the first rows of a page, as many as fit into a response, but at least one.
  ///
  /// - Parameters:
  ///   - name: Returns a row's name in the error message.
  ///   - message: Converts a row to its message.
  /// - Returns: The messages; and the last converted row, if rows were left out.
  /// - Throws: FAILED_PRECONDITION if the first row is too large for a response.
  func page<Row, Message: ProtobufMessage>(
    of rows: some Collection<Row>, _ name: (Row) -> String, _ message: (Row) -> Message
  ) throws(RPCError) -> (messages: [Message], cutAfter: Row?) {
    var messages: [Message] = []
    var used = 0
    var last: Row?
    for row in rows {
      let next = message(row)
      let count = next.byteCount
      if let last, used + count > pageBytes { return (messages, last) }
      guard count <= bytes else { throw .rowTooLong(name(row), count, limit: bytes) }
      messages.append(next)
      used += count + Self.rowOverheadBytes
      last = row
    }
    return (messages, nil)
  }
}

extension ProtobufMessage {
  fileprivate var byteCount: Int { withSerializer { $0.byteCount } }
}

extension RPCError {
  fileprivate static func rowTooLong(_ name: String, _ count: Int, limit: Int) -> RPCError {
    RPCError(
      code: .failedPrecondition,
      message: "\(name) has \(count) bytes, more than the \(limit) that fit into a response")
  }
}
