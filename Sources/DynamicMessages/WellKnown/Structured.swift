/// `Struct`, `ListValue` and `Value`: JSON as messages.
extension MessageEncoder {
  func structured(
    _ type: WellKnownType, _ json: JSONValue, at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> [UInt8] {
    guard depth <= DynamicMessageError.depthLimit else {
      throw path.error(
        .value, "more than \(DynamicMessageError.depthLimit) messages are in one another")
    }
    var writer = WireWriter()
    switch (type, json) {
    case (.structure, .object(let members)):
      for member in members {
        var entry = WireWriter()
        entry.field(1, .bytes(Array(member.name.utf8)))
        let value = try structured(
          .value, member.value, at: path.key(member.name), depth: depth + 2)
        entry.field(2, .bytes(value))
        writer.field(1, .bytes(entry.bytes))
      }
    case (.listValue, .array(let elements)):
      for (index, element) in elements.enumerated() {
        let value = try structured(.value, element, at: path.element(index), depth: depth + 1)
        writer.field(1, .bytes(value))
      }
    case (.value, .null): writer.field(1, .varint(0))
    case (.value, .number): writer.field(2, try ScalarType.double.wireValue(json, at: path))
    case (.value, .string(let text)): writer.field(3, .bytes(Array(text.utf8)))
    case (.value, .bool(let flag)): writer.field(4, .varint(flag ? 1 : 0))
    case (.value, .object):
      writer.field(5, .bytes(try structured(.structure, json, at: path, depth: depth + 1)))
    case (.value, .array):
      writer.field(6, .bytes(try structured(.listValue, json, at: path, depth: depth + 1)))
    case (.structure, _): throw path.error(.value, "\(json.kind) is no Struct, which is an object")
    default: throw path.error(.value, "\(json.kind) is no ListValue, which is an array")
    }
    return writer.bytes
  }
}

extension MessageDecoder {
  func structured(
    _ type: WellKnownType, _ bytes: [UInt8], at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> JSONValue {
    guard depth <= DynamicMessageError.depthLimit else {
      throw path.error(
        .bytes, "more than \(DynamicMessageError.depthLimit) messages are in one another")
    }
    let records = try Self.records(bytes, at: path)
    switch type {
    case .structure: return try structure(records, at: path, depth: depth)
    case .listValue:
      var elements: [JSONValue] = []
      for case (1, .bytes(let value)) in records {
        elements.append(
          try structured(.value, value, at: path.element(elements.count), depth: depth + 1))
      }
      return .array(elements)
    default: return try value(records, at: path, depth: depth)
    }
  }

  private func structure(
    _ records: [(number: Int, value: WireValue)], at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> JSONValue {
    var members: [JSONValue.Member] = []
    var places: [[UInt8]: Int] = [:]
    for case (1, .bytes(let entry)) in records {
      var name: [UInt8] = []
      var value: [UInt8] = []
      for case (let number, .bytes(let bytes)) in try Self.records(entry, at: path) {
        if number == 1 { name = bytes }
        if number == 2 { value += bytes }
      }
      let text = try ScalarType.text(name, at: path)
      let member = JSONValue.Member(
        text, try structured(.value, value, at: path.key(text), depth: depth + 2))
      if let place = places[name] {
        members[place] = member
      } else {
        places[name] = members.count
        members.append(member)
      }
    }
    return .object(members)
  }

  /// The last kind of value that is there; `null` where there is none.
  private func value(
    _ records: [(number: Int, value: WireValue)], at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> JSONValue {
    var kind = 1
    var content: [UInt8] = []
    var scalar = JSONValue.null
    for (number, value) in records {
      switch (number, value) {
      case (1, .varint): scalar = .null
      case (2, .fixed64(let bits)):
        guard Double(bitPattern: bits).isFinite else {
          throw path.error(.bytes, "a number that JSON does not have")
        }
        scalar = try ScalarType.double.json(value, at: path)
      case (3, .bytes), (4, .varint):
        scalar = try (number == 3 ? ScalarType.string : .bool).json(value, at: path)
      case (5, .bytes(let bytes)), (6, .bytes(let bytes)):
        if kind != number { content = [] }
        content += bytes
      default: continue
      }
      kind = number
    }
    switch kind {
    case 5: return try structured(.structure, content, at: path, depth: depth + 1)
    case 6: return try structured(.listValue, content, at: path, depth: depth + 1)
    default: return scalar
    }
  }
}
