/// A type that JSON writes in a way of its own.
///
/// What its fields are is known here: a peer that describes it otherwise changes nothing.
enum WellKnownType {
  case any
  case duration
  case fieldMask
  case listValue
  case structure
  case timestamp
  case value
  case wrapper(ScalarType)

  init?(_ fullName: String) {
    guard fullName.hasPrefix("google.protobuf.") else { return nil }
    switch fullName.dropFirst("google.protobuf.".count) {
    case "Any": self = .any
    case "Duration": self = .duration
    case "FieldMask": self = .fieldMask
    case "ListValue": self = .listValue
    case "Struct": self = .structure
    case "Timestamp": self = .timestamp
    case "Value": self = .value
    case "BoolValue": self = .wrapper(.bool)
    case "BytesValue": self = .wrapper(.bytes)
    case "DoubleValue": self = .wrapper(.double)
    case "FloatValue": self = .wrapper(.float)
    case "Int32Value": self = .wrapper(.int32)
    case "Int64Value": self = .wrapper(.int64)
    case "StringValue": self = .wrapper(.string)
    case "UInt32Value": self = .wrapper(.uint32)
    case "UInt64Value": self = .wrapper(.uint64)
    default: return nil
    }
  }
}

extension MessageEncoder {
  func wellKnown(
    _ type: WellKnownType, _ json: JSONValue, at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> [UInt8] {
    switch type {
    case .any: return try any(json, at: path, depth: depth)
    case .duration:
      guard case .string(let text) = json, let time = WireTime(duration: text) else {
        throw path.error(.value, #"a duration is a string such as "1.5s", of 10 000 years at most"#)
      }
      return time.bytes
    case .timestamp:
      guard case .string(let text) = json, let time = WireTime(timestamp: text) else {
        throw path.error(
          .value, #"a timestamp is a string such as "2026-01-31T23:59:59.5Z", of years 1 to 9999"#)
      }
      return time.bytes
    case .fieldMask:
      guard case .string(let text) = json, let paths = FieldMask.paths(text) else {
        throw path.error(.value, #"a field mask is a string such as "user.displayName,photo""#)
      }
      var writer = WireWriter()
      for path in paths { writer.field(1, .bytes(Array(path.utf8))) }
      return writer.bytes
    case .wrapper(let scalar):
      let value = try scalar.wireValue(json, at: path)
      var writer = WireWriter()
      if !value.isDefault { writer.field(1, value) }
      return writer.bytes
    case .structure, .listValue, .value: return try structured(type, json, at: path, depth: depth)
    }
  }
}

extension MessageDecoder {
  func wellKnown(
    _ type: WellKnownType, _ bytes: [UInt8], at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> JSONValue {
    switch type {
    case .any: return try any(bytes, at: path, depth: depth)
    case .duration:
      guard let text = WireTime(try Self.records(bytes, at: path)).duration else {
        throw path.error(.bytes, "a duration that is out of range")
      }
      return .string(text)
    case .timestamp:
      guard let text = WireTime(try Self.records(bytes, at: path)).timestamp else {
        throw path.error(.bytes, "a timestamp that is out of range")
      }
      return .string(text)
    case .fieldMask:
      var names: [String] = []
      for case (1, .bytes(let utf8)) in try Self.records(bytes, at: path) {
        let name = try ScalarType.text(utf8, at: path)
        guard FieldMask.snakeCase(FieldMask.camelCase(name)) == name else {
          throw path.error(
            .bytes, "the path \(JSONValue.string(name).text()) has no writing in JSON")
        }
        names.append(FieldMask.camelCase(name))
      }
      return .string(names.joined(separator: ","))
    case .wrapper(let scalar):
      var value = scalar.defaultValue
      for (number, other) in try Self.records(bytes, at: path)
      where number == 1 && other.wireType == scalar.wireType {
        value = other
      }
      return try scalar.json(value, at: path)
    case .structure, .listValue, .value: return try structured(type, bytes, at: path, depth: depth)
    }
  }
}
