/// See <https://protobuf.dev/programming-guides/encoding/>.
enum WireType: UInt64, Sendable {
  case varint = 0
  case fixed64 = 1
  case lengthDelimited = 2
  case startGroup = 3
  case endGroup = 4
  case fixed32 = 5

  var isPackable: Bool { self == .varint || self == .fixed32 || self == .fixed64 }
}

/// A value as it stands behind its tag.
enum WireValue: Sendable, Equatable {
  case varint(UInt64)
  case fixed64(UInt64)
  case fixed32(UInt32)
  case bytes([UInt8])
  /// The content between the tags of a group.
  case group([UInt8])

  var wireType: WireType {
    switch self {
    case .varint: .varint
    case .fixed64: .fixed64
    case .fixed32: .fixed32
    case .bytes: .lengthDelimited
    case .group: .startGroup
    }
  }

  /// True if it is the value of an absent field without presence, which a negative zero is not.
  var isDefault: Bool {
    switch self {
    case .varint(let bits), .fixed64(let bits): bits == 0
    case .fixed32(let bits): bits == 0
    case .bytes(let bytes): bytes.isEmpty
    case .group: false
    }
  }
}

struct WireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func field(_ number: Int, _ value: WireValue) {
    tag(number, value.wireType)
    self.value(value)
    if case .group = value { tag(number, .endGroup) }
  }

  mutating func value(_ value: WireValue) {
    switch value {
    case .varint(let bits): varint(bits)
    case .fixed64(let bits): littleEndian(bits)
    case .fixed32(let bits): littleEndian(bits)
    case .bytes(let content):
      varint(UInt64(content.count))
      bytes += content
    case .group(let content): bytes += content
    }
  }

  mutating func append(_ more: [UInt8]) { bytes += more }

  private mutating func tag(_ number: Int, _ type: WireType) {
    varint(UInt64(number) << 3 | type.rawValue)
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  private mutating func littleEndian<Bits: FixedWidthInteger>(_ bits: Bits) {
    for shift in stride(from: 0, to: Bits.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: bits >> Bits(shift)))
    }
  }
}

/// Reads the fields of a message from bytes that may be anything.
struct WireReader {
  struct Malformed: Error {
    let reason: String
  }

  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  var isAtEnd: Bool { position >= bytes.count }

  /// The next field, or nothing at the end.
  mutating func field() throws(Malformed) -> (number: Int, value: WireValue)? {
    guard !isAtEnd else { return nil }
    let (number, type) = try tag()
    return (number, try value(type, number, depth: 1))
  }

  /// The next value of a packed field.
  mutating func packedValue(_ type: WireType) throws(Malformed) -> WireValue? {
    guard !isAtEnd else { return nil }
    return try value(type, 0, depth: 1)
  }

  private mutating func tag() throws(Malformed) -> (number: Int, type: WireType) {
    let tag = try varint()
    guard 1...536_870_911 ~= tag >> 3, let type = WireType(rawValue: tag & 7) else {
      throw malformed("there is no such tag")
    }
    return (Int(tag >> 3), type)
  }

  private mutating func value(
    _ type: WireType, _ number: Int, depth: Int
  ) throws(Malformed) -> WireValue {
    switch type {
    case .varint: return .varint(try varint())
    case .fixed64: return .fixed64(try littleEndian())
    case .fixed32: return .fixed32(try littleEndian())
    case .lengthDelimited:
      let count = try varint()
      guard count <= UInt64(bytes.count - position) else {
        throw malformed("a length goes beyond the end")
      }
      defer { position += Int(count) }
      return .bytes(Array(bytes[position..<position + Int(count)]))
    case .startGroup:
      guard depth <= DynamicMessageError.depthLimit else {
        throw malformed("more than \(DynamicMessageError.depthLimit) groups are in one another")
      }
      let start = position
      while true {
        let end = position
        guard !isAtEnd else { throw malformed("a group does not end") }
        let (inner, type) = try tag()
        if type == .endGroup {
          guard inner == number else { throw malformed("a group ends that did not start") }
          return .group(Array(bytes[start..<end]))
        }
        _ = try value(type, inner, depth: depth + 1)
      }
    case .endGroup: throw malformed("a group ends that did not start")
    }
  }

  private mutating func varint() throws(Malformed) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard position < bytes.count else { throw malformed("the bytes end within a number") }
      let byte = bytes[position]
      position += 1
      // Of the tenth byte one bit has a place; other readers ignore the rest as well.
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw malformed("a number has more than ten bytes")
  }

  private mutating func littleEndian<Bits: FixedWidthInteger>() throws(Malformed) -> Bits {
    let count = Bits.bitWidth / 8
    guard bytes.count - position >= count else {
      throw malformed("the bytes end within a number")
    }
    var value: Bits = 0
    for index in 0..<count {
      value |= Bits(bytes[position + index]) << Bits(index * 8)
    }
    position += count
    return value
  }

  private func malformed(_ reason: String) -> Malformed {
    Malformed(reason: "malformed at byte \(position): \(reason)")
  }
}
