/// `Any`: a message beside the name of its type.
extension MessageEncoder {
  func any(
    _ json: JSONValue, at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> [UInt8] {
    guard case .object(let members) = json else {
      throw path.error(.value, "\(json.kind) is no Any, which is an object")
    }
    guard !members.isEmpty else { return [] }
    guard case .string(let url)? = members.first(where: { $0.name == "@type" })?.value else {
      throw path.error(.value, #"an Any says its type in "@type""#)
    }
    let others = members.filter { $0.name != "@type" }
    let content = try content(of: url, others, at: path, depth: depth + 1)
    var writer = WireWriter()
    writer.field(1, .bytes(Array(url.utf8)))
    if !content.isEmpty { writer.field(2, .bytes(content)) }
    return writer.bytes
  }

  private func content(
    of url: String, _ members: [JSONValue.Member], at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> [UInt8] {
    guard let name = AnyMessage.typeName(url) else {
      throw path.field("@type").error(
        .value, "a type is written as in type.googleapis.com/google.protobuf.Empty")
    }
    if let bytes = members.first, bytes.name == AnyMessage.bytes, members.count == 1 {
      let path = path.field(AnyMessage.bytes)
      guard case .bytes(let content) = try ScalarType.bytes.wireValue(bytes.value, at: path) else {
        return []
      }
      return content
    }
    guard WellKnownType(name) != nil else {
      guard types.messages[name] != nil else {
        throw path.field("@type").error(
          .value, "the type \(name) is not known; its bytes can be given in base64 as \"@bytes\"")
      }
      return try message(name, .object(members), at: path, depth: depth)
    }
    guard let value = members.first, value.name == "value", members.count == 1 else {
      throw path.error(.value, "an Any of \(name) has it in \"value\", and nothing else")
    }
    return try message(name, value.value, at: path.field("value"), depth: depth)
  }
}

extension MessageDecoder {
  func any(
    _ bytes: [UInt8], at path: FieldPath, depth: Int
  ) throws(DynamicMessageError) -> JSONValue {
    var url = ""
    var content: [UInt8] = []
    for case (let number, .bytes(let bytes)) in try Self.records(bytes, at: path) {
      if number == 1 { url = try ScalarType.text(bytes, at: path) }
      if number == 2 { content = bytes }
    }
    if url.isEmpty, content.isEmpty { return .object([]) }
    let type = JSONValue.Member("@type", .string(url))
    if let name = AnyMessage.typeName(url) {
      if WellKnownType(name) != nil {
        let value = try message(name, content, at: path.field("value"), depth: depth + 1)
        return .object([type, JSONValue.Member("value", value)])
      }
      if types.messages[name] != nil,
        case .object(let members) = try message(name, content, at: path, depth: depth + 1)
      {
        return .object([type] + members)
      }
    }
    return .object([type, JSONValue.Member(AnyMessage.bytes, .string(Base64.text(content)))])
  }
}

enum AnyMessage {
  /// The member with the bytes of an unknown type, whose name is not that of any field.
  static let bytes = "@bytes"

  /// Returns the part of a type URL after its last slash.
  static func typeName(_ url: String) -> String? {
    guard let slash = url.lastIndex(of: "/") else { return nil }
    let name = url[url.index(after: slash)...]
    return name.isEmpty ? nil : String(name)
  }
}
