import TestSupport

/// A client that sends the bytes of single HTTP/2 frames, valid or not.
struct HTTP2RawPeer {
  /// The type of a frame (RFC 9113, section 6).
  enum Kind: UInt8 {
    case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate
    case continuation
  }

  /// A frame from the server.
  struct Frame {
    let kind: UInt8
    let flags: UInt8
    let streamID: Int
    let payload: [UInt8]
  }

  /// The last frame of a connection: the error code and the debug data.
  struct GoAway: Equatable {
    let code: Int
    let debugData: String
  }

  static let endStream: UInt8 = 1
  static let acknowledgment: UInt8 = 1
  static let endHeaders: UInt8 = 4
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  private let peer: RawPeer

  /// Connects, and sends the preface with settings and the acknowledgment of the server's settings.
  ///
  /// The server's settings apply from then on.
  ///
  /// - Parameter window: The flow-control window of each stream, in bytes.
  init(path: String, window: Int = 65_535) async throws {
    peer = try RawPeer(path: path)
    try await send(
      Self.preface + Self.settings([(4, window)])
        + Self.frame(.settings, flags: Self.acknowledgment, 0))
  }

  func send(_ bytes: [UInt8]) async throws {
    try await peer.send(bytes)
  }

  func finishSending() { peer.finishSending() }

  // MARK: Frames

  static func integer(_ value: Int, bytes: Int = 4) -> [UInt8] {
    (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  static func frame(
    _ kind: Kind, flags: UInt8 = 0, _ streamID: Int, _ payload: [UInt8] = []
  ) -> [UInt8] {
    integer(payload.count, bytes: 3) + [kind.rawValue, flags] + integer(streamID) + payload
  }

  static func settings(_ values: [(parameter: Int, value: Int)]) -> [UInt8] {
    frame(.settings, 0, values.flatMap { integer($0.parameter, bytes: 2) + integer($0.value) })
  }

  static func windowUpdate(_ streamID: Int, _ increment: Int) -> [UInt8] {
    frame(.windowUpdate, streamID, integer(increment))
  }

  static func reset(_ streamID: Int) -> [UInt8] { frame(.reset, streamID, integer(8)) }

  static let ping = frame(.ping, 0, [UInt8](repeating: 7, count: 8))

  /// The headers of a call.
  static func headers(
    _ method: String, _ extra: [(String, String)] = []
  ) -> [(String, String)] {
    [
      (":method", "POST"), (":scheme", "http"), (":path", "/p/\(method)"), (":authority", "x"),
      ("content-type", "application/grpc"), ("te", "trailers"),
    ] + extra
  }

  /// The header list of a call, as literals that are not indexed.
  static func headerList(_ method: String, _ extra: [(String, String)] = []) -> [UInt8] {
    literals(headers(method, extra))
  }

  private static func literals(_ headers: [(String, String)]) -> [UInt8] {
    headers.flatMap { name, value in [0] + string(name) + string(value) }
  }

  /// A frame with a whole header list.
  static func list(
    _ streamID: Int, _ headers: [(String, String)], isLast: Bool = false
  ) -> [UInt8] {
    frame(.headers, flags: endHeaders | (isLast ? endStream : 0), streamID, literals(headers))
  }

  /// A string without Huffman coding (RFC 7541, section 5.2).
  static func string(_ text: String) -> [UInt8] {
    var rest = text.utf8.count
    guard rest >= 127 else { return [UInt8(rest)] + text.utf8 }
    var length: [UInt8] = [127]
    rest -= 127
    while rest >= 128 {
      length.append(UInt8(rest % 128) | 128)
      rest /= 128
    }
    return length + [UInt8(rest)] + text.utf8
  }

  static func open(_ method: String, _ streamID: Int, isLast: Bool = false) -> [UInt8] {
    list(streamID, headers(method), isLast: isLast)
  }

  static func message(_ message: [UInt8], _ streamID: Int, isLast: Bool = true) -> [UInt8] {
    frame(
      .data, flags: isLast ? endStream : 0, streamID, [0] + integer(message.count) + message)
  }

  /// A call with a single request.
  static func call(_ method: String, _ streamID: Int, _ request: [UInt8]) -> [UInt8] {
    open(method, streamID) + message(request, streamID)
  }

  /// A call with a compressed request, which fits in one frame.
  static func compressedCall(
    _ method: String, _ streamID: Int, _ request: [UInt8], isLast: Bool = true
  ) -> [UInt8] {
    list(streamID, headers(method, [("grpc-encoding", "gzip")]))
      + compressedMessage(streamID, request, isLast: isLast)
  }

  static func compressedMessage(_ streamID: Int, _ message: [UInt8], isLast: Bool) -> [UInt8] {
    let member = gzip(message)
    return frame(
      .data, flags: isLast ? endStream : 0, streamID, [1] + integer(member.count) + member)
  }

  // MARK: Responses

  /// Reads the next frame; `nil` if the server has closed the connection.
  func next() async throws -> Frame? {
    let header = try await peer.receive(9)
    guard header.count == 9 else { return nil }
    func number(_ range: Range<Int>) -> Int { header[range].reduce(0) { $0 << 8 | Int($1) } }
    let payload = try await peer.receive(number(0..<3))
    return Frame(
      kind: header[3], flags: header[4], streamID: number(5..<9) & 0x7fff_ffff, payload: payload)
  }

  /// Reads frames up to the first of a kind; `nil` if the server closes the connection before.
  func next(_ kind: Kind, on streamID: Int? = nil) async throws -> Frame? {
    while let frame = try await next() {
      if frame.kind == kind.rawValue, streamID == nil || frame.streamID == streamID {
        return frame
      }
    }
    return nil
  }

  /// Reads to the end of the connection, and returns the last GOAWAY frame.
  func rest() async throws -> GoAway? {
    var last: GoAway?
    while let frame = try await next() {
      guard frame.kind == Kind.goAway.rawValue, frame.payload.count >= 8 else { continue }
      last = GoAway(
        code: frame.payload[4..<8].reduce(0) { $0 << 8 | Int($1) },
        debugData: String(decoding: frame.payload[8...], as: UTF8.self))
    }
    return last
  }

  /// Sends a PING frame, and waits for its acknowledgment, which shows that the server has read all
  /// earlier frames.
  ///
  /// - Returns: False if the server has closed the connection instead.
  func isOpen() async throws -> Bool {
    try await send(Self.ping)
    return try await next(.ping) != nil
  }

  func waitUntilReadable() async throws { try await peer.waitUntilReadable() }
}
