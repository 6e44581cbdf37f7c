extension ScalarType {
  /// A value from JSON, by proto3's mapping.
  ///
  /// - Throws: a `DynamicMessageError` that names the path.
  func wireValue(
    _ json: JSONValue, at path: FieldPath
  ) throws(DynamicMessageError) -> WireValue {
    switch self {
    case .int32: .varint(UInt64(bitPattern: try signed(json, 32, path)))
    case .int64: .varint(UInt64(bitPattern: try signed(json, 64, path)))
    case .uint32: .varint(try unsigned(json, 32, path))
    case .uint64: .varint(try unsigned(json, 64, path))
    case .sint32: .varint(Self.zigZag(try signed(json, 32, path)))
    case .sint64: .varint(Self.zigZag(try signed(json, 64, path)))
    case .fixed32: .fixed32(UInt32(truncatingIfNeeded: try unsigned(json, 32, path)))
    case .fixed64: .fixed64(try unsigned(json, 64, path))
    case .sfixed32: .fixed32(UInt32(truncatingIfNeeded: try signed(json, 32, path)))
    case .sfixed64: .fixed64(UInt64(bitPattern: try signed(json, 64, path)))
    case .float: .fixed32((try floatingPoint(json, path) as Float).bitPattern)
    case .double: .fixed64((try floatingPoint(json, path) as Double).bitPattern)
    case .bool: .varint(try bool(json, path) ? 1 : 0)
    case .string: .bytes(Array(try string(json, path).utf8))
    case .bytes: .bytes(try base64(json, path))
    }
  }

  /// A value as JSON: 64-bit integers as strings, for readers that have only doubles.
  ///
  /// - Throws: a `DynamicMessageError`, where a string is not UTF-8.
  func json(_ value: WireValue, at path: FieldPath) throws(DynamicMessageError) -> JSONValue {
    switch (self, value) {
    case (.int32, .varint(let bits)): .number(String(Int32(truncatingIfNeeded: bits)))
    case (.int64, .varint(let bits)): .string(String(Int64(bitPattern: bits)))
    case (.uint32, .varint(let bits)): .number(String(UInt32(truncatingIfNeeded: bits)))
    case (.uint64, .varint(let bits)): .string(String(bits))
    case (.sint32, .varint(let bits)):
      .number(String(Int32(truncatingIfNeeded: Self.unZigZag(bits))))
    case (.sint64, .varint(let bits)): .string(String(Self.unZigZag(bits)))
    case (.fixed32, .fixed32(let bits)): .number(String(bits))
    case (.fixed64, .fixed64(let bits)): .string(String(bits))
    case (.sfixed32, .fixed32(let bits)): .number(String(Int32(bitPattern: bits)))
    case (.sfixed64, .fixed64(let bits)): .string(String(Int64(bitPattern: bits)))
    case (.float, .fixed32(let bits)): Self.json(Float(bitPattern: bits))
    case (.double, .fixed64(let bits)): Self.json(Double(bitPattern: bits))
    case (.bool, .varint(let bits)): .bool(bits != 0)
    case (.string, .bytes(let utf8)): .string(try Self.text(utf8, at: path))
    case (.bytes, .bytes(let bytes)): .string(Base64.text(bytes))
    default: throw path.error(.bytes, "\(rawValue) is not written so")
    }
  }

  /// The value of an absent field of this type.
  var defaultValue: WireValue {
    switch wireType {
    case .fixed32: .fixed32(0)
    case .fixed64: .fixed64(0)
    case .lengthDelimited: .bytes([])
    case .varint, .startGroup, .endGroup: .varint(0)
    }
  }

  static func text(_ utf8: [UInt8], at path: FieldPath) throws(DynamicMessageError) -> String {
    guard let text = String(validating: utf8, as: UTF8.self) else {
      throw path.error(.bytes, "a string that is not UTF-8")
    }
    return text
  }

  static func json<Number: BinaryFloatingPoint & LosslessStringConvertible>(
    _ number: Number
  ) -> JSONValue {
    if number.isNaN { return .string("NaN") }
    if number.isInfinite { return .string(number < 0 ? "-Infinity" : "Infinity") }
    // Whole numbers without a fraction; a negative zero keeps its sign.
    let digits = String(number)
    return .number(digits.hasSuffix(".0") ? String(digits.dropLast(2)) : digits)
  }

  private static func zigZag(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: (value << 1) ^ (value >> 63))
  }

  private static func unZigZag(_ bits: UInt64) -> Int64 {
    Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
  }

  /// The digits of a number, or of a string that contains one.
  private func literal(_ json: JSONValue, _ path: FieldPath) throws(DynamicMessageError) -> String {
    switch json {
    case .number(let literal): return literal
    case .string(let text):
      // Where a string is a number, it is one in JSON's writing too, without anything around it.
      if case .number(text)? = try? JSONValue(text) { return text }
      throw path.error(.value, "\(json.text()) is no \(rawValue)")
    case .null, .bool, .array, .object:
      throw path.error(.value, "\(json.kind) is no \(rawValue)")
    }
  }

  private func signed(
    _ json: JSONValue, _ bits: Int, _ path: FieldPath
  ) throws(DynamicMessageError) -> Int64 {
    let literal = try literal(json, path)
    let integer = ExactInteger(literal)
    guard let value = integer.signed(bits: bits) else { throw unfit(integer, literal, path) }
    return value
  }

  private func unsigned(
    _ json: JSONValue, _ bits: Int, _ path: FieldPath
  ) throws(DynamicMessageError) -> UInt64 {
    let literal = try literal(json, path)
    let integer = ExactInteger(literal)
    guard let value = integer.unsigned(bits: bits) else { throw unfit(integer, literal, path) }
    return value
  }

  private func unfit(
    _ integer: ExactInteger, _ literal: String, _ path: FieldPath
  ) -> DynamicMessageError {
    if case .fraction = integer { return path.error(.value, "\(literal) is no integer") }
    return path.error(.value, "\(literal) is out of range for \(rawValue)")
  }

  private func floatingPoint<Number: BinaryFloatingPoint & LosslessStringConvertible>(
    _ json: JSONValue, _ path: FieldPath
  ) throws(DynamicMessageError) -> Number {
    switch json {
    case .string("NaN"): return .nan
    case .string("Infinity"): return .infinity
    case .string("-Infinity"): return -.infinity
    default: break
    }
    let literal = try literal(json, path)
    guard let number = Number(literal), number.isFinite else {
      throw path.error(.value, "\(literal) is out of range for \(rawValue)")
    }
    return number
  }

  private func bool(_ json: JSONValue, _ path: FieldPath) throws(DynamicMessageError) -> Bool {
    guard case .bool(let flag) = json else {
      throw path.error(.value, "\(json.kind) is no bool")
    }
    return flag
  }

  private func string(_ json: JSONValue, _ path: FieldPath) throws(DynamicMessageError) -> String {
    guard case .string(let text) = json else {
      throw path.error(.value, "\(json.kind) is no string")
    }
    return text
  }

  private func base64(_ json: JSONValue, _ path: FieldPath) throws(DynamicMessageError) -> [UInt8] {
    guard case .string(let text) = json, let bytes = Base64.bytes(text) else {
      throw path.error(.value, "bytes are a string in base64")
    }
    return bytes
  }
}
