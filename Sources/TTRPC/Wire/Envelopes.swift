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
