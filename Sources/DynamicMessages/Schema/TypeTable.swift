/// All messages and enums, by their full names.
struct TypeTable: Sendable {
  var messages: [String: MessageShape] = [:]
  var enums: [String: EnumShape] = [:]

  func message(
    _ name: String, at path: FieldPath
  ) throws(DynamicMessageError) -> MessageShape {
    guard let message = messages[name] else {
      throw path.error(.schema, "the message type \(name) is not among the descriptors")
    }
    return message
  }

  func enumeration(_ name: String, at path: FieldPath) throws(DynamicMessageError) -> EnumShape {
    guard let enumeration = enums[name] else {
      throw path.error(.schema, "the enum \(name) is not among the descriptors")
    }
    return enumeration
  }

  /// The message type of a map's entries, where a field is a map.
  func mapEntry(of field: FieldShape) -> MessageShape? {
    guard field.isRepeated, case .message(let name) = field.type, let entry = messages[name],
      entry.isMapEntry
    else { return nil }
    return entry
  }
}
