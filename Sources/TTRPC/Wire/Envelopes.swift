internal import NIOCore
internal import ProtobufC

// Conversions between the envelope's messages and the types that the rest of the module uses.

extension WireRequest {
  /// Creates a request's envelope.
  ///
  /// - Parameter timeout: The time that the call may still take; nil for no limit.
  init(
    service: String, method: String, payload: [UInt8], timeout: Duration?, metadata: Metadata
  ) {
    self.init(
      service: service,
      method: method,
      payload: payload,
      timeoutNano: timeout.map(\.wireNanoseconds) ?? 0,
      metadata: metadata.map { WireKeyValue(key: $0.key, value: $0.value) })
  }

  var callMetadata: Metadata {
    var result = Metadata()
    for pair in metadata { result.append(pair.value, for: pair.key) }
    return result
  }

  /// The time that the call may take, from now; nil for no limit.
  ///
  /// A negative value means that the deadline has passed.
  var timeout: Duration? {
    timeoutNano == 0 ? nil : .nanoseconds(timeoutNano)
  }
}

extension WireResponse {
  /// The tag of the payload: field 2, length-delimited.
  static let payloadTag: UInt8 = 0x12

  /// Returns the size in bytes of a response envelope that has a payload and no status.
  static func byteCount(ofPayload count: Int) -> Int {
    guard count > 0 else { return 0 }
    let digits = (Int.bitWidth - count.leadingZeroBitCount + 6) / 7
    return 1 + digits + count
  }

  init(error: RPCError) {
    self.init(status: WireStatus(error), payload: [])
  }

  /// The response's payload, or the error that its status describes.
  var outcome: Result<[UInt8], RPCError> {
    guard let status, status.code != 0 else { return .success(payload) }
    return .failure(RPCError(status))
  }
}

extension WireStatus {
  init(_ error: RPCError) {
    self.init(
      code: error.code.rawValue, message: error.message,
      details: error.details.map { WireAnyMessage($0) })
  }
}

extension RPCError {
  /// The error as a serialized `google.rpc.Status`.
  package var serializedStatus: [UInt8] { WireStatus(self).serialized() }

  init(_ status: WireStatus) {
    self.init(
      // gRPC treats a code that it does not define as UNKNOWN.
      code: StatusCode(rawValue: status.code) ?? .unknown,
      message: status.message,
      details: status.details.map { ErrorDetail($0) })
  }
}

extension WireAnyMessage {
  private static let prefix = "type.googleapis.com/"
  static let badRequestURL = prefix + WireBadRequest.fullName
  static let retryInfoURL = prefix + WireRetryInfo.fullName
  static let errorInfoURL = prefix + WireErrorInfo.fullName

  init(_ detail: ErrorDetail) {
    switch detail {
    case .badRequest(let violations):
      let message = WireBadRequest(
        fieldViolations: violations.map {
          .init(field: $0.field, description: $0.description)
        })
      self.init(typeURL: Self.badRequestURL, value: message.serialized())
    case .retryInfo(let delay):
      let parts = delay.components
      let message = WireRetryInfo(
        retryDelay: WireDuration(
          seconds: parts.seconds, nanos: Int32(parts.attoseconds / 1_000_000_000)))
      self.init(typeURL: Self.retryInfoURL, value: message.serialized())
    case .errorInfo(let reason, let domain):
      let message = WireErrorInfo(reason: reason, domain: domain)
      self.init(typeURL: Self.errorInfoURL, value: message.serialized())
    case .other(let typeURL, let value):
      self.init(typeURL: typeURL, value: value)
    }
  }
}

extension ErrorDetail {
  /// Converts a detail from its wire form.
  ///
  /// A detail of an unknown type, or one that cannot be parsed, becomes ``other(typeURL:value:)``.
  init(_ any: WireAnyMessage) {
    if any.typeURL == WireAnyMessage.badRequestURL,
      let message = try? WireBadRequest(serialized: any.value)
    {
      self = .badRequest(
        message.fieldViolations.map {
          FieldViolation(field: $0.field, description: $0.description)
        })
    } else if any.typeURL == WireAnyMessage.retryInfoURL,
      let message = try? WireRetryInfo(serialized: any.value), let delay = message.retryDelay
    {
      self = .retryInfo(after: .seconds(delay.seconds) + .nanoseconds(Int64(delay.nanos)))
    } else if any.typeURL == WireAnyMessage.errorInfoURL,
      let message = try? WireErrorInfo(serialized: any.value)
    {
      self = .errorInfo(reason: message.reason, domain: message.domain)
    } else {
      self = .other(typeURL: any.typeURL, value: any.value)
    }
  }
}

extension Duration {
  /// The duration in whole nanoseconds, clamped to 64 bits.
  ///
  /// The result is never 0, which means "no timeout" on the wire. A duration that rounds to 0
  /// becomes -1, an expired deadline.
  fileprivate var wireNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return seconds < 0 ? -1 : .max }
    let (sum, overflowed) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    guard !overflowed else { return seconds < 0 ? -1 : .max }
    return sum == 0 ? -1 : sum
  }
}

extension ByteBuffer {
  /// Parses all readable bytes as one message, and leaves the reader index where it is.
  func message<Message: ProtobufMessage>(
    _ type: Message.Type
  ) throws(ProtobufError) -> Message {
    try unsafe withUnsafeReadableBytes { bytes in
      Result { () throws(ProtobufError) in try unsafe Message(serialized: bytes) }
    }.get()
  }

  /// Writes a frame with a message as its payload.
  ///
  /// - Returns: True if the message is within the limit; otherwise nothing is written.
  mutating func writeFrame(
    streamID: UInt32, type: FrameType, flags: FrameFlags = [], message: some ProtobufMessage,
    limit: Int
  ) -> Bool {
    message.withSerializer { serializer in
      let size = serializer.byteCount
      guard size <= limit else { return false }
      reserveCapacity(minimumWritableBytes: FrameHeader.byteCount + size)
      writeFrameHeader(
        FrameHeader(
          length: UInt32(size), streamID: streamID, type: type.rawValue, flags: flags))
      unsafe writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
        unsafe serializer.pack(into: bytes)
        return size
      }
      return true
    }
  }

  /// Writes the frame of a successful response whose payload is a message.
  ///
  /// The response must be within the size limit.
  mutating func writeResponse(streamID: UInt32, _ serializer: borrowing Serializer) {
    unsafe writeResponse(streamID: streamID, payloadCount: serializer.byteCount) { bytes in
      unsafe serializer.pack(into: bytes)
    }
  }

  /// Writes the frame of a successful response whose payload is already serialized.
  ///
  /// The response must be within the size limit.
  mutating func writeResponse(streamID: UInt32, payload: [UInt8]) {
    unsafe writeResponse(streamID: streamID, payloadCount: payload.count) { bytes in
      unsafe payload.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
    }
  }

  private mutating func writeResponse(
    streamID: UInt32, payloadCount: Int, _ pack: (UnsafeMutableRawBufferPointer) -> Void
  ) {
    let length = WireResponse.byteCount(ofPayload: payloadCount)
    let size = FrameHeader.byteCount + length
    unsafe writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
      unsafe bytes.storeBytes(of: UInt32(length).bigEndian, as: UInt32.self)
      unsafe bytes.storeBytes(of: streamID.bigEndian, toByteOffset: 4, as: UInt32.self)
      unsafe bytes[8] = FrameType.response.rawValue
      unsafe bytes[9] = 0
      guard payloadCount > 0 else { return size }
      unsafe bytes[10] = WireResponse.payloadTag
      var position = 11
      var rest = payloadCount
      while rest >= 0x80 {
        unsafe bytes[position] = UInt8(truncatingIfNeeded: rest) | 0x80
        rest >>= 7
        position += 1
      }
      unsafe bytes[position] = UInt8(rest)
      unsafe pack(UnsafeMutableRawBufferPointer(rebasing: bytes[(position + 1)..<size]))
      return size
    }
  }
}

/// A request's envelope that was parsed on the fast path: in place, without a copy.
///
/// The fast path accepts the envelopes that nearly all clients send: a service, a method, a payload
/// and a timeout, each at most once, and nothing else. It must agree with `WireRequest` on every
/// envelope that it accepts. An envelope that it rejects may still be valid, and `WireRequest`
/// decides.
@safe struct PlainRequest {
  private(set) var service: UnsafeRawBufferPointer
  private(set) var method: UnsafeRawBufferPointer
  private(set) var payload: UnsafeRawBufferPointer
  private let timeoutNano: Int64

  /// The time that the call may take, from now; nil for no limit.
  ///
  /// A negative value means that the deadline has passed.
  var timeout: Duration? { timeoutNano == 0 ? nil : .nanoseconds(timeoutNano) }

  /// Parses an envelope, or returns nil if the fast path does not accept it.
  ///
  /// - Parameter bytes: A frame's payload. The memory must stay valid while the request is used.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var reader = unsafe Reader(bytes: bytes)
    let empty = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    unsafe (service, method, payload) = unsafe (empty, empty, empty)
    var timeout: UInt64 = 0
    var fieldsSeen: UInt8 = 0
    while !reader.isAtEnd {
      // Tags of fields up to 15 take one byte.
      guard let tag = reader.byte(), tag >> 3 <= 4, fieldsSeen & (1 << (tag >> 3)) == 0 else {
        return nil
      }
      fieldsSeen |= 1 << (tag >> 3)
      switch tag {
      case 0x0a:
        guard let field = unsafe reader.lengthDelimited() else { return nil }
        unsafe service = field
      case 0x12:
        guard let field = unsafe reader.lengthDelimited() else { return nil }
        unsafe method = field
      case 0x1a:
        guard let field = unsafe reader.lengthDelimited() else { return nil }
        unsafe payload = field
      case 0x20:
        guard let number = reader.varint() else { return nil }
        timeout = number
      default:
        return nil
      }
    }
    timeoutNano = Int64(bitPattern: timeout)
  }

  @safe private struct Reader {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    var isAtEnd: Bool { unsafe position == bytes.count }

    mutating func byte() -> UInt8? {
      guard unsafe position < bytes.count else { return nil }
      defer { position += 1 }
      return unsafe bytes[position]
    }

    mutating func varint() -> UInt64? {
      var result: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 64, by: 7) {
        guard let byte = byte() else { return nil }
        // The tenth byte of a 64-bit varint holds one bit.
        guard shift < 63 || byte <= 1 else { return nil }
        result |= UInt64(byte & 0x7f) << shift
        if byte & 0x80 == 0 { return result }
      }
      return nil
    }

    mutating func lengthDelimited() -> UnsafeRawBufferPointer? {
      guard let length = varint(), unsafe length <= UInt64(bytes.count - position) else {
        return nil
      }
      defer { position += Int(length) }
      return unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(length)])
    }
  }
}
