/// A message type, as reading and writing it needs it.
struct MessageShape: Sendable {
  /// The full name.
  let name: String
  /// In ascending order of their numbers.
  let fields: [FieldShape]
  /// The names of the groups of fields of which one at most is set.
  let oneofs: [String]
  let isMapEntry: Bool

  private let byNumber: [Int: Int]
  private let byName: [String: Int]

  init(name: String, fields: [FieldShape], oneofs: [String], isMapEntry: Bool) {
    self.name = name
    self.fields = fields.sorted { $0.number < $1.number }
    self.oneofs = oneofs
    self.isMapEntry = isMapEntry
    byNumber = Dictionary(
      self.fields.enumerated().map { ($1.number, $0) }, uniquingKeysWith: { first, _ in first })
    // A name in the proto wins over another field's name in JSON.
    let jsonNames = self.fields.enumerated().map { ($1.jsonName, $0) }
    let names = self.fields.enumerated().map { ($1.name, $0) }
    byName = Dictionary(names + jsonNames, uniquingKeysWith: { first, _ in first })
  }

  func index(ofNumber number: Int) -> Int? { byNumber[number] }

  /// The field of a name, in the proto's writing or in JSON's.
  func index(ofName name: String) -> Int? { byName[name] }

  func field(_ number: Int) -> FieldShape? { byNumber[number].map { fields[$0] } }
}

struct FieldShape: Sendable {
  let name: String
  let jsonName: String
  let number: Int
  let type: FieldType
  let isRepeated: Bool
  let isPacked: Bool
  let isRequired: Bool
  /// True if the field has presence: it can be set to its default.
  let hasPresence: Bool
  /// Which of its message's oneofs it belongs to.
  let oneof: Int?
}

enum FieldType: Sendable, Equatable {
  case scalar(ScalarType)
  case enumeration(String)
  case message(String)
  /// A message between two tags instead of behind a length.
  case group(String)

  /// The full name in the proto.
  var name: String {
    switch self {
    case .scalar(let scalar): scalar.rawValue
    case .enumeration(let name), .message(let name), .group(let name): name
    }
  }

  /// The message type's full name.
  var messageName: String? {
    switch self {
    case .message(let name), .group(let name): name
    case .scalar, .enumeration: nil
    }
  }

  /// A value without the bits that its type has no place for, which readers ignore.
  func truncated(_ value: WireValue) -> WireValue {
    guard case .varint(let bits) = value else { return value }
    switch self {
    case .scalar(.int32), .enumeration:
      return .varint(UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: bits))))
    case .scalar(.uint32), .scalar(.sint32): return .varint(bits & 0xFFFF_FFFF)
    case .scalar(.bool): return .varint(bits == 0 ? 0 : 1)
    case .scalar, .message, .group: return value
    }
  }

  /// The wire type of a single value.
  var wireType: WireType {
    switch self {
    case .scalar(let type): type.wireType
    case .enumeration: .varint
    case .message: .lengthDelimited
    case .group: .startGroup
    }
  }
}

enum ScalarType: String, Sendable {
  case double, float, int32, int64, uint32, uint64, sint32, sint64
  case fixed32, fixed64, sfixed32, sfixed64, bool, string, bytes

  var wireType: WireType {
    switch self {
    case .double, .fixed64, .sfixed64: .fixed64
    case .float, .fixed32, .sfixed32: .fixed32
    case .int32, .int64, .uint32, .uint64, .sint32, .sint64, .bool: .varint
    case .string, .bytes: .lengthDelimited
    }
  }
}

struct EnumShape: Sendable {
  /// The full name.
  let name: String
  let values: [(name: String, number: Int32)]
  /// True if only numbers with a name are values of the enum.
  let isClosed: Bool

  func number(of name: String) -> Int32? { values.first { $0.name == name }?.number }
  func name(of number: Int32) -> String? { values.first { $0.number == number }?.name }
}
