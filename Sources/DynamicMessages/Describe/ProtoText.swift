internal import SwiftProtobuf
internal import VisibleText

/// Writes descriptors as the text of a `.proto` file, types by their full names.
struct ProtoText {
  let types: TypeTable
  let comments: Comments
  private let isProto2: Bool
  private(set) var text = ""
  private var level = 0

  init(_ file: Google_Protobuf_FileDescriptorProto, types: TypeTable) {
    self.types = types
    comments = Comments(file)
    isProto2 = file.syntax.isEmpty || file.syntax == "proto2"
  }

  mutating func symbol(_ symbol: Symbol, name: String) {
    switch symbol.kind {
    case .message(let message): self.message(message, name: name, symbol.location)
    case .enumeration(let enumeration): self.enumeration(enumeration, symbol.location)
    case .service(let service): self.service(service, symbol.location)
    case .method(let method): self.method(method, symbol.location)
    }
  }

  mutating func comment(_ text: String) {
    line(text.isEmpty ? "//" : "// \(text)")
  }

  static func signature(
    _ name: String, _ input: String, isClientStreaming: Bool, _ output: String,
    isServerStreaming: Bool
  ) -> String {
    "rpc \(name)(\(isClientStreaming ? "stream " : "")\(typeName(input))) returns "
      + "(\(isServerStreaming ? "stream " : "")\(typeName(output)))"
  }

  // MARK: - Services

  private mutating func service(_ service: Google_Protobuf_ServiceDescriptorProto, _ at: Location) {
    comments(at)
    block("service \(service.name)") { text in
      if service.options.deprecated { text.line("option deprecated = true;") }
      for (index, method) in service.method.enumerated() {
        text.method(method, at.appending(2, index))
      }
    }
  }

  private mutating func method(_ method: Google_Protobuf_MethodDescriptorProto, _ at: Location) {
    comments(at)
    let signature = Self.signature(
      method.name, method.inputType, isClientStreaming: method.clientStreaming, method.outputType,
      isServerStreaming: method.serverStreaming)
    var options: [String] = []
    if method.options.deprecated { options.append("option deprecated = true;") }
    switch method.options.idempotencyLevel {
    case .idempotencyUnknown: break
    case .noSideEffects: options.append("option idempotency_level = NO_SIDE_EFFECTS;")
    case .idempotent: options.append("option idempotency_level = IDEMPOTENT;")
    }
    if options.isEmpty {
      line(signature + ";")
    } else {
      block(signature) { text in
        for option in options { text.line(option) }
      }
    }
  }

  // MARK: - Messages

  private mutating func message(
    _ message: Google_Protobuf_DescriptorProto, name: String, _ at: Location
  ) {
    comments(at)
    block("message \(message.name)") { text in
      if message.options.deprecated { text.line("option deprecated = true;") }
      text.reserved(message)
      var oneofs: Set<Int32> = []
      for (index, field) in message.field.enumerated() {
        if field.hasOneofIndex, !field.proto3Optional {
          if oneofs.insert(field.oneofIndex).inserted { text.oneof(field.oneofIndex, message, at) }
        } else {
          text.field(field, at.appending(2, index))
        }
      }
      for (index, nested) in message.enumType.enumerated() {
        text.line("")
        text.enumeration(nested, at.appending(4, index))
      }
      for (index, nested) in message.nestedType.enumerated() where !nested.options.mapEntry {
        text.line("")
        text.message(nested, name: "\(name).\(nested.name)", at.appending(3, index))
      }
    }
  }

  private mutating func oneof(
    _ number: Int32, _ message: Google_Protobuf_DescriptorProto, _ at: Location
  ) {
    let index = Int(number)
    guard message.oneofDecl.indices.contains(index) else { return }
    comments(at.appending(8, index))
    block("oneof \(message.oneofDecl[index].name)") { text in
      for (index, field) in message.field.enumerated()
      where field.hasOneofIndex && field.oneofIndex == number {
        text.field(field, at.appending(2, index))
      }
    }
  }

  private mutating func field(_ field: Google_Protobuf_FieldDescriptorProto, _ at: Location) {
    comments(at)
    var options: [String] = []
    if field.hasDefaultValue {
      let isText = field.type == .string || field.type == .bytes
      let value = isText ? JSONValue.string(field.defaultValue).text() : field.defaultValue
      options.append("default = \(value)")
    }
    if !field.jsonName.isEmpty, field.jsonName != FieldMask.camelCase(field.name) {
      options.append("json_name = \(JSONValue.string(field.jsonName).text())")
    }
    if field.options.hasPacked { options.append("packed = \(field.options.packed)") }
    if field.options.deprecated { options.append("deprecated = true") }
    let suffix = options.isEmpty ? "" : " [\(options.joined(separator: ", "))]"
    line("\(typeText(field)) \(field.name) = \(field.number)\(suffix);")
  }

  private func typeText(_ field: Google_Protobuf_FieldDescriptorProto) -> String {
    let name = field.type == .group ? "group \(typeName(field))" : typeName(field)
    guard field.label == .repeated else {
      if field.label == .required { return "required \(name)" }
      let isOptional = field.proto3Optional || isProto2 && !field.hasOneofIndex
      return isOptional ? "optional \(name)" : name
    }
    if let entry = types.messages[name], entry.isMapEntry, let key = entry.field(1)?.type.name,
      let value = entry.field(2)?.type.name
    {
      return "map<\(key), \(value)>"
    }
    return "repeated \(name)"
  }

  private func typeName(_ field: Google_Protobuf_FieldDescriptorProto) -> String {
    field.typeName.isEmpty ? "\(field.type)".lowercased() : Self.typeName(field.typeName)
  }

  private static func typeName(_ name: String) -> String { String(name.drop { $0 == "." }) }

  private mutating func reserved(_ message: Google_Protobuf_DescriptorProto) {
    // The end of a range does not belong to it.
    let ranges = message.reservedRange.map { Self.range($0.start, $0.end &- 1) }
    reserved(ranges, message.reservedName)
  }

  private mutating func reserved(_ ranges: [String], _ names: [String]) {
    let names = names.map { JSONValue.string($0).text() }
    for list in [ranges, names] where !list.isEmpty {
      line("reserved \(list.joined(separator: ", "));")
    }
  }

  private static func range(_ first: Int32, _ last: Int32) -> String {
    first == last ? "\(first)" : "\(first) to \(last)"
  }

  // MARK: - Enums

  private mutating func enumeration(
    _ enumeration: Google_Protobuf_EnumDescriptorProto, _ at: Location
  ) {
    comments(at)
    block("enum \(enumeration.name)") { text in
      if enumeration.options.allowAlias { text.line("option allow_alias = true;") }
      if enumeration.options.deprecated { text.line("option deprecated = true;") }
      let ranges = enumeration.reservedRange.map { Self.range($0.start, $0.end) }
      text.reserved(ranges, enumeration.reservedName)
      for (index, value) in enumeration.value.enumerated() {
        text.comments(at.appending(2, index))
        let suffix = value.options.deprecated ? " [deprecated = true]" : ""
        text.line("\(value.name) = \(value.number)\(suffix);")
      }
    }
  }

  // MARK: - Lines

  private mutating func comments(_ at: Location) {
    for text in comments.lines(at) { line("//\(text)") }
  }

  private mutating func block(_ header: String, _ body: (inout ProtoText) -> Void) {
    line(header + " {")
    level += 1
    body(&self)
    level -= 1
    line("}")
  }

  /// Adds a line.
  ///
  /// Control characters of names and comments are escaped, since they come from a peer.
  private mutating func line(_ content: String) {
    let visible = content.visible(keeping: ["\t"])
    if !visible.isEmpty { text += String(repeating: "  ", count: level) }
    text += visible + "\n"
  }
}
