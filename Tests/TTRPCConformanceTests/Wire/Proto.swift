import TestSupport

/// The part of protobuf's encoding that the envelopes need.
enum Proto {
  static func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  /// Encodes a bytes field, or nothing if the value is empty, as proto3 does.
  static func bytes(_ field: UInt64, _ value: [UInt8]) -> [UInt8] {
    value.isEmpty ? [] : message(field, value)
  }

  /// Encodes a message field, even if the message is empty.
  static func message(_ field: UInt64, _ value: [UInt8]) -> [UInt8] {
    varint(field << 3 | 2) + varint(UInt64(value.count)) + value
  }

  static func text(_ field: UInt64, _ value: String) -> [UInt8] {
    bytes(field, Array(value.utf8))
  }

  static func integer(_ field: UInt64, _ value: Int64) -> [UInt8] {
    value == 0 ? [] : varint(field << 3) + varint(UInt64(bitPattern: value))
  }

  enum Value: Equatable {
    case integer(UInt64)
    case bytes([UInt8])
  }

  /// Decodes the fields of a message, in order.
  ///
  /// Only varint and length-delimited fields are supported.
  static func fields(_ message: [UInt8]) throws -> [(number: UInt64, value: Value)] {
    var rest = message[...]
    var fields: [(number: UInt64, value: Value)] = []
    while !rest.isEmpty {
      let tag = try readVarint(&rest)
      switch tag & 7 {
      case 0:
        fields.append((tag >> 3, .integer(try readVarint(&rest))))
      case 2:
        let length = Int(clamping: try readVarint(&rest))
        guard rest.count >= length else { throw malformed }
        fields.append((tag >> 3, .bytes(Array(rest.prefix(length)))))
        rest = rest.dropFirst(length)
      default:
        throw malformed
      }
    }
    return fields
  }

  private static func readVarint(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = rest.popFirst() else { throw malformed }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw malformed
  }

  private static let malformed = RawPeer.Failure(description: "malformed protobuf message")
}

extension Sequence<(number: UInt64, value: Proto.Value)> {
  func bytes(_ field: UInt64) -> [[UInt8]] {
    compactMap { entry in
      if entry.number == field, case .bytes(let bytes) = entry.value { bytes } else { nil }
    }
  }

  func text(_ field: UInt64) -> String {
    String(decoding: bytes(field).last ?? [], as: UTF8.self)
  }

  /// The first integer value of a field, or zero if the field is absent.
  func integer(_ field: UInt64) -> Int64 {
    for entry in self where entry.number == field {
      if case .integer(let value) = entry.value { return Int64(bitPattern: value) }
    }
    return 0
  }
}
