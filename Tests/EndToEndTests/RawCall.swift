import ProtobufC
import TestSupport

@testable import TTRPC

/// Encoders and decoders for calls that a test writes byte by byte.
enum RawCall {
  /// Encodes a field of wire type varint.
  static func varint(_ field: UInt8, _ value: UInt64) -> [UInt8] {
    var bytes = [field << 3]
    var rest = value
    while rest > 0x7f {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  /// Encodes a length-delimited field of up to 127 bytes.
  static func bytes(_ field: UInt8, _ value: some Collection<UInt8>) -> [UInt8] {
    [field << 3 | 2, UInt8(value.count)] + value
  }

  /// Encodes a ttrpc request frame, header included.
  static func frame(
    _ streamID: UInt8, _ method: String, _ payload: [UInt8] = [],
    of service: String = "mockups.v1.CreditService", flags: UInt8 = 0, timeout: Duration? = nil
  ) -> [UInt8] {
    let envelope =
      bytes(1, service.utf8) + bytes(2, method.utf8) + bytes(3, payload)
      + (timeout.map { varint(4, UInt64($0.components.seconds) * 1_000_000_000) } ?? [])
    return [0, 0, 0, UInt8(envelope.count), 0, 0, 0, streamID, 1, flags] + envelope
  }

  /// Returns the error in a response frame, or `nil` if the frame has a payload.
  static func error(in frame: [UInt8]) throws -> RPCError? {
    switch try WireResponse(serialized: Array(frame.dropFirst(10))).outcome {
    case .success: nil
    case .failure(let error): error
    }
  }
}
