internal import ProtobufC

// Between the envelope's messages and the values that the rest of the library speaks.

extension WireRequest {
  /// - Parameter timeout: Relative, as it travels; `nil` sends none.
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

  /// How long the caller waits: `nil` without end; zero or less: not any more.
  var timeout: Duration? {
    timeoutNano == 0 ? nil : .nanoseconds(timeoutNano)
  }
}

extension WireResponse {
  /// Field 2, length-delimited.
  static let payloadTag: UInt8 = 0x12

  /// How long a response without a status is, with this much payload.
  static func byteCount(ofPayload count: Int) -> Int {
    guard count > 0 else { return 0 }
    let digits = (Int.bitWidth - count.leadingZeroBitCount + 6) / 7
    return 1 + digits + count
  }

  init(error: RPCError) {
    self.init(status: WireStatus(error), payload: [])
  }

  /// The response's payload, or the error it carries.
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
  init(_ status: WireStatus) {
    self.init(
      // A code that gRPC does not have is unknown by its own definition.
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
  /// A detail that cannot be read is kept as its bytes.
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
  /// Whole nanoseconds, kept within what 64 bits and the protocol can say: never 0, which means none.
  fileprivate var wireNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return seconds < 0 ? -1 : .max }
    let (sum, overflowed) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    guard !overflowed else { return seconds < 0 ? -1 : .max }
    return sum == 0 ? -1 : sum
  }
}
