/// The options for showing a message as JSON.
public struct JSONOptions: Sendable {
  /// A Boolean value that indicates whether fields without presence are shown at their default.
  public var showsDefaults = false
  /// A Boolean value that indicates whether fields have their proto names, not lowerCamelCase
  /// names.
  public var usesProtoNames = false

  /// Creates options; by default defaults are left out and names are in lowerCamelCase.
  public init(showsDefaults: Bool = false, usesProtoNames: Bool = false) {
    self.showsDefaults = showsDefaults
    self.usesProtoNames = usesProtoNames
  }
}

extension MessageType {
  /// Decodes a binary message as JSON, with its fields in the order of their numbers.
  ///
  /// The mapping is [proto3's](https://protobuf.dev/programming-guides/json/), so that the result
  /// can be encoded again. Unknown fields are skipped, and so are fields with another wire type. An
  /// `Any` of an unknown type shows its bytes under `@bytes`. A required field may be absent.
  ///
  /// - Throws: `DynamicMessageError` if the bytes are malformed.
  public func json(
    fromBinary bytes: [UInt8], _ options: JSONOptions = JSONOptions()
  ) throws(DynamicMessageError) -> JSONValue {
    try MessageDecoder(types: types, options: options)
      .message(fullName, bytes, at: FieldPath(), depth: 1)
  }
}

/// A decoder of binary messages to JSON.
struct MessageDecoder {
  let types: TypeTable
  let options: JSONOptions

  func message(
    _ name: String, _ bytes: [UInt8], at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> JSONValue {
    guard depth <= DynamicMessageError.depthLimit else {
      throw path.error(
        .bytes, "more than \(DynamicMessageError.depthLimit) messages are in one another")
    }
    if let wellKnown = WellKnownType(name) {
      return try self.wellKnown(wellKnown, bytes, at: path, depth: depth)
    }
    let shape = try types.message(name, at: path)
    return .object(try members(shape, bytes, at: path, depth: depth))
  }

  func members(
    _ shape: MessageShape, _ bytes: [UInt8], at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> [JSONValue.Member] {
    let values = try fields(shape, bytes, at: path)
    var members: [JSONValue.Member] = []
    for (index, field) in shape.fields.enumerated() {
      let name = options.usesProtoNames ? field.name : field.jsonName
      guard let json = try json(field, values[index] ?? [], at: path.field(name), depth: depth)
      else { continue }
      members.append(JSONValue.Member(name, json))
    }
    return members
  }

  /// The values of each field, by its index: of a field that is not repeated, one at most.
  private func fields(
    _ shape: MessageShape, _ bytes: [UInt8], at path: FieldPath
  ) throws(DynamicMessageError) -> [Int: [WireValue]] {
    var values: [Int: [WireValue]] = [:]
    for (number, value) in try Self.records(bytes, at: path) {
      guard let index = shape.index(ofNumber: number) else { continue }
      let field = shape.fields[index]
      if field.isRepeated {
        for element in try elements(field, value, at: path) {
          values[index, default: []].append(element)
        }
      } else if value.wireType == field.type.wireType, isKnown(value, field.type) {
        clearOthers(than: index, shape, &values)
        if field.type.messageName == nil {
          values[index] = [field.type.truncated(value)]
        } else {
          values[index, default: []].append(value)
        }
      }
    }
    for (index, parts) in values where !shape.fields[index].isRepeated && parts.count > 1 {
      values[index] = [merged(parts)]
    }
    return values
  }

  /// Returns the values of one record of a repeated field, packed or not, whatever its declaration.
  private func elements(
    _ field: FieldShape, _ value: WireValue, at path: FieldPath
  ) throws(DynamicMessageError) -> [WireValue] {
    var values: [WireValue] = []
    if value.wireType == field.type.wireType {
      values = [value]
    } else if case .bytes(let packed) = value, field.type.wireType.isPackable {
      var reader = WireReader(packed)
      do throws(WireReader.Malformed) {
        while let value = try reader.packedValue(field.type.wireType) { values.append(value) }
      } catch {
        throw path.field(field.jsonName).error(.bytes, error.reason)
      }
    }
    return values.filter { isKnown($0, field.type) }.map(field.type.truncated)
  }

  /// Returns true if the value is known: always, except for a closed enum without it.
  private func isKnown(_ value: WireValue, _ type: FieldType) -> Bool {
    guard case .enumeration(let name) = type, let shape = types.enums[name], shape.isClosed,
      case .varint(let bits) = value
    else { return true }
    return shape.name(of: Int32(truncatingIfNeeded: bits)) != nil
  }

  private func clearOthers(
    than index: Int, _ shape: MessageShape, _ values: inout [Int: [WireValue]]
  ) {
    guard let oneof = shape.fields[index].oneof else { return }
    for other in shape.fields.indices
    where other != index && shape.fields[other].oneof == oneof {
      values[other] = nil
    }
  }

  /// A message that comes in parts is all of them, one behind the other.
  private func merged(_ parts: [WireValue]) -> WireValue {
    var content: [UInt8] = []
    for part in parts {
      switch part {
      case .bytes(let bytes), .group(let bytes): content += bytes
      case .varint, .fixed32, .fixed64: break
      }
    }
    if case .group? = parts.last { return .group(content) }
    return .bytes(content)
  }

  private func json(
    _ field: FieldShape, _ values: [WireValue], at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> JSONValue? {
    if let entry = types.mapEntry(of: field) {
      guard !values.isEmpty || options.showsDefaults else { return nil }
      return .object(try map(entry, values, at: path, depth: depth))
    }
    if field.isRepeated {
      guard !values.isEmpty || options.showsDefaults else { return nil }
      var elements: [JSONValue] = []
      for (index, value) in values.enumerated() {
        elements.append(try json(field.type, value, at: path.element(index), depth: depth))
      }
      return .array(elements)
    }
    // A null has no other value, whatever number a peer wrote.
    let isNull = field.type == .enumeration("google.protobuf.NullValue")
    if let value = values.first,
      field.hasPresence || options.showsDefaults || !value.isDefault && !isNull
    {
      return try json(field.type, value, at: path, depth: depth)
    }
    guard !field.hasPresence, options.showsDefaults else { return nil }
    return try json(field.type, defaultValue(field.type), at: path, depth: depth)
  }

  private func map(
    _ entry: MessageShape, _ values: [WireValue], at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> [JSONValue.Member] {
    guard let key = entry.field(1), let value = entry.field(2),
      let keyIndex = entry.index(ofNumber: 1), let valueIndex = entry.index(ofNumber: 2)
    else { throw path.error(.schema, "\(entry.name) is no entry of a map") }
    var members: [JSONValue.Member] = []
    var places: [[UInt8]: Int] = [:]
    for case .bytes(let bytes) in values {
      let parts = try fields(entry, bytes, at: path)
      let keyJSON = try json(
        key.type, parts[keyIndex]?.first ?? defaultValue(key.type), at: path, depth: depth)
      let name = if case .string(let text) = keyJSON { text } else { keyJSON.text() }
      let member = JSONValue.Member(
        name,
        try json(
          value.type, parts[valueIndex]?.first ?? defaultValue(value.type),
          at: path.key(name), depth: depth + 1))
      // Of two entries with one key the last one counts.
      if let place = places[Array(name.utf8)] {
        members[place] = member
      } else {
        places[Array(name.utf8)] = members.count
        members.append(member)
      }
    }
    return members
  }

  private func defaultValue(_ type: FieldType) -> WireValue {
    switch type {
    case .scalar(let scalar): scalar.defaultValue
    case .enumeration(let name):
      .varint(UInt64(bitPattern: Int64(types.enums[name]?.values.first?.number ?? 0)))
    case .message: .bytes([])
    case .group: .group([])
    }
  }

  func json(
    _ type: FieldType, _ value: WireValue, at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> JSONValue {
    switch (type, value) {
    case (.scalar(let scalar), _): return try scalar.json(value, at: path)
    case (.enumeration("google.protobuf.NullValue"), _): return .null
    case (.enumeration(let name), .varint(let bits)):
      let number = Int32(truncatingIfNeeded: bits)
      let shape = try types.enumeration(name, at: path)
      return shape.name(of: number).map { .string($0) } ?? .number(String(number))
    case (.message(let name), .bytes(let bytes)), (.group(let name), .group(let bytes)):
      return try message(name, bytes, at: path, depth: depth + 1)
    default: throw path.error(.bytes, "the field is not written so")
    }
  }

  /// All fields of a message, as they come.
  static func records(
    _ bytes: [UInt8], at path: FieldPath
  ) throws(DynamicMessageError) -> [(number: Int, value: WireValue)] {
    var reader = WireReader(bytes)
    var records: [(number: Int, value: WireValue)] = []
    do throws(WireReader.Malformed) {
      while let record = try reader.field() { records.append(record) }
    } catch {
      throw path.error(.bytes, error.reason)
    }
    return records
  }
}
