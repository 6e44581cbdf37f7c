extension MessageType {
  /// Encodes a JSON message in binary, with its fields in the order of their numbers.
  ///
  /// The mapping is [proto3's](https://protobuf.dev/programming-guides/json/): fields have either
  /// of their names, `null` means absent, and integers are numbers or strings. An unknown or
  /// repeated member is an error, and so are two members of one `oneof`.
  ///
  /// - Throws: `DynamicMessageError`, which names the field by its path.
  public func binary(fromJSON json: JSONValue) throws(DynamicMessageError) -> [UInt8] {
    try MessageEncoder(types: types).message(fullName, json, at: FieldPath(), depth: 1)
  }

  /// Encodes a message from JSON text.
  ///
  /// - Throws: `DynamicMessageError` if the text is not JSON, or does not fit the message.
  public func binary(fromJSON text: String) throws(DynamicMessageError) -> [UInt8] {
    try binary(fromJSON: JSONValue(text))
  }
}

/// An encoder of JSON messages to binary.
struct MessageEncoder {
  let types: TypeTable

  func message(
    _ name: String, _ json: JSONValue, at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> [UInt8] {
    guard depth <= DynamicMessageError.depthLimit else {
      throw path.error(
        .value, "more than \(DynamicMessageError.depthLimit) messages are in one another")
    }
    if let wellKnown = WellKnownType(name) {
      return try self.wellKnown(wellKnown, json, at: path, depth: depth)
    }
    guard case .object(let members) = json else {
      throw path.error(.value, "\(json.kind) is no \(name), which is an object")
    }
    return try fields(try types.message(name, at: path), members, at: path, depth: depth)
  }

  func fields(
    _ shape: MessageShape, _ members: [JSONValue.Member], at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> [UInt8] {
    var encoded: [Int: [UInt8]] = [:]
    var seen: Set<Int> = []
    var set: [Int: String] = [:]
    for member in members {
      guard let index = shape.index(ofName: member.name) else {
        throw unknown(member.name, shape, path)
      }
      let field = shape.fields[index]
      let path = path.field(member.name)
      guard seen.insert(index).inserted else {
        throw path.error(.value, "the field is there under both its names")
      }
      if case .null = member.value, !acceptsNull(field) { continue }
      if let oneof = field.oneof {
        if let other = set.updateValue(member.name, forKey: oneof) {
          throw path.error(
            .value, "\(other) is set as well, and only one of \(shape.oneofs[oneof]) can be")
        }
      }
      encoded[index] = try self.field(field, member.value, at: path, depth: depth)
    }
    for (index, field) in shape.fields.enumerated() where field.isRequired && encoded[index] == nil
    {
      throw path.error(.value, "the required field \(field.jsonName) of \(shape.name) is not there")
    }
    return encoded.sorted { $0.key < $1.key }.flatMap(\.value)
  }

  /// Returns true if JSON's `null` is a value of the field, and does not mean that it is absent.
  private func acceptsNull(_ field: FieldShape) -> Bool {
    !field.isRepeated
      && (field.type == .message("google.protobuf.Value")
        || field.type == .enumeration("google.protobuf.NullValue"))
  }

  private func field(
    _ field: FieldShape, _ json: JSONValue, at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> [UInt8] {
    var writer = WireWriter()
    if let entry = types.mapEntry(of: field) {
      try map(field, entry, json, at: path, depth: depth, to: &writer)
    } else if field.isRepeated {
      guard case .array(let elements) = json else {
        throw path.error(.value, "\(json.kind) is no list, and the field is repeated")
      }
      var packed = WireWriter()
      for (index, element) in elements.enumerated() {
        let value = try value(field.type, element, at: path.element(index), depth: depth)
        if field.isPacked { packed.value(value) } else { writer.field(field.number, value) }
      }
      if !packed.bytes.isEmpty { writer.field(field.number, .bytes(packed.bytes)) }
    } else {
      let value = try value(field.type, json, at: path, depth: depth)
      if field.hasPresence || !value.isDefault { writer.field(field.number, value) }
    }
    return writer.bytes
  }

  private func map(
    _ field: FieldShape, _ entry: MessageShape, _ json: JSONValue, at path: FieldPath, depth: Int,
    to writer: inout WireWriter
  ) throws(DynamicMessageError) {
    guard case .object(let members) = json else {
      throw path.error(.value, "\(json.kind) is no object, and the field is a map")
    }
    guard case .scalar(let keyType)? = entry.field(1)?.type, let valueType = entry.field(2)?.type
    else { throw path.error(.schema, "\(entry.name) is no entry of a map") }
    var seen: Set<[UInt8]> = []
    for member in members {
      let path = path.key(member.name)
      var content = WireWriter()
      content.field(1, try key(keyType, member.name, at: path))
      guard seen.insert(content.bytes).inserted else {
        throw path.error(.value, "the key is there twice")
      }
      content.field(2, try value(valueType, member.value, at: path, depth: depth + 1))
      writer.field(field.number, .bytes(content.bytes))
    }
  }

  private func key(
    _ type: ScalarType, _ text: String, at path: FieldPath
  ) throws(DynamicMessageError) -> WireValue {
    guard type == .bool else { return try type.wireValue(.string(text), at: path) }
    guard text == "true" || text == "false" else {
      throw path.error(.value, "the key is true or false")
    }
    return .varint(text == "true" ? 1 : 0)
  }

  func value(
    _ type: FieldType, _ json: JSONValue, at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> WireValue {
    switch type {
    case .scalar(let scalar): try scalar.wireValue(json, at: path)
    case .enumeration(let name): try enumeration(name, json, at: path)
    case .message(let name): .bytes(try message(name, json, at: path, depth: depth + 1))
    case .group(let name): .group(try message(name, json, at: path, depth: depth + 1))
    }
  }

  private func enumeration(
    _ name: String, _ json: JSONValue, at path: FieldPath
  ) throws(DynamicMessageError) -> WireValue {
    let shape = try types.enumeration(name, at: path)
    switch json {
    case .null where name == "google.protobuf.NullValue": return .varint(0)
    case .string(let text):
      if let number = shape.number(of: text) { return .varint(UInt64(bitPattern: Int64(number))) }
      let nearest = Spelling.nearest(to: text, among: shape.values.map(\.name))
      throw path.error(
        .value,
        "\(json.text()) is no value of \(name)" + (nearest.map { "; did you mean \($0)?" } ?? ""))
    case .number:
      let value = try ScalarType.int32.wireValue(json, at: path)
      if case .varint(let bits) = value, shape.isClosed,
        shape.name(of: Int32(truncatingIfNeeded: bits)) == nil
      {
        throw path.error(.value, "\(json.text()) is no value of \(name)")
      }
      return value
    case .null, .bool, .array, .object:
      throw path.error(.value, "\(json.kind) is no value of \(name)")
    }
  }

  private func unknown(
    _ name: String, _ shape: MessageShape, _ path: FieldPath
  ) -> DynamicMessageError {
    let names = shape.fields.flatMap { [$0.jsonName, $0.name] }
    let nearest = Spelling.nearest(to: name, among: names)
    return path.field(name).error(
      .value,
      "\(shape.name) has no such field" + (nearest.map { "; did you mean \($0)?" } ?? ""))
  }
}
