internal import ProtobufC
public import TTRPC

/// How long a response may be, and how much of one a page of a list fills.
public struct ResponseLimit: Sendable {
  /// The bytes of a response beside its rows: its envelope, a page token, totals.
  private static let overheadBytes = 512
  /// Tag and length of a row in its list.
  private static let rowOverheadBytes = 6

  /// The longest row that a response can hold.
  let bytes: Int
  /// After this a page ends, however many rows were asked for.
  var pageBytes: Int { min(bytes, 1 << 20) }

  /// - Parameter maximumMessageSize: The longest message that the server sends, in bytes.
  public init(maximumMessageSize: Int = WireLimits.protocolMaximumMessageSize) {
    bytes = max(maximumMessageSize - Self.overheadBytes, Self.overheadBytes)
  }

  func fits(_ message: some ProtobufMessage) -> Bool {
    message.byteCount <= bytes
  }

  /// A row that is an answer by itself.
  ///
  /// - Parameter name: What it is called in the error.
  /// - Throws: FAILED_PRECONDITION where it is longer than a response may be.
  func checked<Message: ProtobufMessage>(
    _ message: Message, _ name: @autoclosure () -> String
  ) throws(RPCError) -> Message {
    let count = message.byteCount
    guard count <= bytes else { throw .rowTooLong(name(), count, limit: bytes) }
    return message
  }

  /// The first rows of a page, at least one, as many as its response has room for.
  ///
  /// - Parameters:
  ///   - name: What a row is called in the error.
  ///   - message: A row as it is sent.
  /// - Returns: Their messages, and the last row of them where others were left out.
  /// - Throws: FAILED_PRECONDITION where the first row is longer than a response may be.
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
      message: "\(name) has \(count) bytes, and a response holds at most \(limit)")
  }
}
