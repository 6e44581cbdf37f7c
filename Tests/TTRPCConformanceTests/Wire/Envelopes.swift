import TestSupport

/// A decoded response envelope.
struct Answer: Equatable {
  /// The status code; 0 is OK.
  var code: Int64
  var message: String
  /// The details of the status.
  var details: [Detail]
  var payload: [UInt8]

  struct Detail: Equatable {
    var typeURL: String
    var value: [UInt8]
  }

  init(_ frame: Frame) throws {
    guard frame.type == 2 else {
      throw RawPeer.Failure(description: "expected a response, received \(frame)")
    }
    let envelope = try Proto.fields(frame.payload)
    let status = try Proto.fields(envelope.bytes(1).last ?? [])
    code = status.integer(1)
    message = status.text(2)
    details = try status.bytes(3).map { detail in
      let fields = try Proto.fields(detail)
      return Detail(typeURL: fields.text(1), value: fields.bytes(2).last ?? [])
    }
    payload = envelope.bytes(2).last ?? []
  }

  /// The value of the payload, read as a `Number`.
  var number: Int64 { get throws { try Proto.fields(payload).integer(1) } }

  /// The bytes of the payload, read as a `Blob`.
  var blob: [UInt8] { get throws { try Proto.fields(payload).bytes(1).last ?? [] } }
}

/// A decoded request envelope.
struct Opening {
  var service: String
  var method: String
  var payload: [UInt8]
  /// The timeout in nanoseconds; 0 for none.
  var timeout: Int64
  var metadata: [Pair]

  struct Pair: Equatable {
    var key: String
    var value: String
  }

  init(_ frame: Frame) throws {
    guard frame.type == 1 else {
      throw RawPeer.Failure(description: "expected a request, received \(frame)")
    }
    let envelope = try Proto.fields(frame.payload)
    service = envelope.text(1)
    method = envelope.text(2)
    payload = envelope.bytes(3).last ?? []
    timeout = envelope.integer(4)
    metadata = try envelope.bytes(5).map { pair in
      let fields = try Proto.fields(pair)
      return Pair(key: fields.text(1), value: fields.text(2))
    }
  }
}
