internal import SwiftProtobuf

/// Turns descriptors into types, and checks what they say: they come from a peer.
struct SchemaBuilder {
  private(set) var types = TypeTable()
  private(set) var services: [Service] = []
  /// The place of each declaration, by full name.
  private(set) var symbols: [String: Symbol] = [:]
  private(set) var files: [Google_Protobuf_FileDescriptorProto] = []

  init(_ files: [Google_Protobuf_FileDescriptorProto]) throws(DynamicMessageError) {
    var names: Set<String> = []
    for file in files where names.insert(file.name).inserted {
      self.files.append(file)
    }
    for (index, file) in self.files.enumerated() {
      try add(file, index)
    }
    for shape in types.messages.values {
      try check(shape)
    }
    for service in services {
      for method in service.methods {
        for type in [method.input, method.output] where types.messages[type.fullName] == nil {
          throw error("\(method.fullName) speaks of \(type.fullName), which is not there")
        }
      }
    }
  }

  /// Gives the methods their types, which know all others only now.
  var finishedServices: [Service] {
    services.map { service in
      var service = service
      service.methods = service.methods.map { method in
        var method = method
        method.input = MessageType(fullName: method.input.fullName, types: types)
        method.output = MessageType(fullName: method.output.fullName, types: types)
        return method
      }
      return service
    }
  }

  private mutating func add(
    _ file: Google_Protobuf_FileDescriptorProto, _ index: Int
  ) throws(DynamicMessageError) {
    let scope = file.package.isEmpty ? "" : file.package + "."
    let features = Features(file)
    for (place, message) in file.messageType.enumerated() {
      try add(message, scope, features, Location(file: index, path: [4, place]))
    }
    for (place, enumeration) in file.enumType.enumerated() {
      try add(enumeration, scope, features, Location(file: index, path: [5, place]))
    }
    for (place, service) in file.service.enumerated() {
      try add(service, scope, Location(file: index, path: [6, place]))
    }
  }

  private mutating func add(
    _ message: Google_Protobuf_DescriptorProto, _ scope: String, _ features: Features,
    _ location: Location
  ) throws(DynamicMessageError) {
    let name = scope + message.name
    try add(name, Symbol(location: location, kind: .message(message)))
    let features = features.applying(
      message.options.hasFeatures ? message.options.features : nil)
    var fields: [FieldShape] = []
    for field in message.field {
      fields.append(try shape(field, of: name, message, features))
    }
    guard Set(fields.map(\.number)).count == fields.count else {
      throw error("\(name) has two fields of one number")
    }
    types.messages[name] = MessageShape(
      name: name, fields: fields, oneofs: message.oneofDecl.map(\.name),
      isMapEntry: message.options.mapEntry)
    for (place, nested) in message.nestedType.enumerated() {
      try add(nested, name + ".", features, location.appending(3, place))
    }
    for (place, nested) in message.enumType.enumerated() {
      try add(nested, name + ".", features, location.appending(4, place))
    }
  }

  private func shape(
    _ field: Google_Protobuf_FieldDescriptorProto, of message: String,
    _ descriptor: Google_Protobuf_DescriptorProto, _ features: Features
  ) throws(DynamicMessageError) -> FieldShape {
    let name = "\(message).\(field.name)"
    guard 1...536_870_911 ~= field.number else {
      throw error("\(name) has the number \(field.number)")
    }
    guard !field.hasOneofIndex || descriptor.oneofDecl.indices.contains(Int(field.oneofIndex))
    else {
      throw error("\(name) is in a oneof that is not there")
    }
    let features = features.applying(field.options.hasFeatures ? field.options.features : nil)
    let type = try type(of: field, name, features)
    let isRepeated = field.label == .repeated
    return FieldShape(
      name: field.name,
      jsonName: field.jsonName.isEmpty ? FieldMask.camelCase(field.name) : field.jsonName,
      number: Int(field.number), type: type, isRepeated: isRepeated,
      isPacked: isRepeated && type.wireType.isPackable && features.isPacked(field),
      isRequired: !isRepeated && features.isRequired(field),
      hasPresence: features.hasPresence(field),
      oneof: field.hasOneofIndex && !field.proto3Optional ? Int(field.oneofIndex) : nil)
  }

  private func type(
    of field: Google_Protobuf_FieldDescriptorProto, _ name: String, _ features: Features
  ) throws(DynamicMessageError) -> FieldType {
    let typeName = String(field.typeName.drop { $0 == "." })
    switch field.type {
    case .message, .group:
      return features.isGroup(field) ? .group(typeName) : .message(typeName)
    case .enum: return .enumeration(typeName)
    case .double: return .scalar(.double)
    case .float: return .scalar(.float)
    case .int32: return .scalar(.int32)
    case .int64: return .scalar(.int64)
    case .uint32: return .scalar(.uint32)
    case .uint64: return .scalar(.uint64)
    case .sint32: return .scalar(.sint32)
    case .sint64: return .scalar(.sint64)
    case .fixed32: return .scalar(.fixed32)
    case .fixed64: return .scalar(.fixed64)
    case .sfixed32: return .scalar(.sfixed32)
    case .sfixed64: return .scalar(.sfixed64)
    case .bool: return .scalar(.bool)
    case .string: return .scalar(.string)
    case .bytes: return .scalar(.bytes)
    }
  }

  private mutating func add(
    _ enumeration: Google_Protobuf_EnumDescriptorProto, _ scope: String, _ features: Features,
    _ location: Location
  ) throws(DynamicMessageError) {
    let name = scope + enumeration.name
    try add(name, Symbol(location: location, kind: .enumeration(enumeration)))
    let features = features.applying(
      enumeration.options.hasFeatures ? enumeration.options.features : nil)
    types.enums[name] = EnumShape(
      name: name, values: enumeration.value.map { ($0.name, $0.number) },
      isClosed: features.isEnumClosed)
  }

  private mutating func add(
    _ service: Google_Protobuf_ServiceDescriptorProto, _ scope: String, _ location: Location
  ) throws(DynamicMessageError) {
    let name = scope + service.name
    try add(name, Symbol(location: location, kind: .service(service)))
    var methods: [RPCMethod] = []
    for (place, method) in service.method.enumerated() {
      let location = location.appending(2, place)
      try add("\(name).\(method.name)", Symbol(location: location, kind: .method(method)))
      methods.append(
        RPCMethod(
          service: name, name: method.name,
          input: MessageType(
            fullName: String(method.inputType.drop { $0 == "." }), types: TypeTable()),
          output: MessageType(
            fullName: String(method.outputType.drop { $0 == "." }), types: TypeTable()),
          isClientStreaming: method.clientStreaming, isServerStreaming: method.serverStreaming,
          isIdempotent: method.options.idempotencyLevel != .idempotencyUnknown))
    }
    services.append(Service(name: name, methods: methods))
  }

  private mutating func add(_ name: String, _ symbol: Symbol) throws(DynamicMessageError) {
    guard symbols.updateValue(symbol, forKey: name) == nil else {
      throw error("\(name) is described twice")
    }
  }

  /// Every type that a field speaks of must be there, and a map's entry must be one.
  private func check(_ shape: MessageShape) throws(DynamicMessageError) {
    for field in shape.fields {
      let isThere =
        switch field.type {
        case .scalar: true
        case .enumeration(let name): types.enums[name] != nil
        case .message(let name), .group(let name): types.messages[name] != nil
        }
      guard isThere else {
        throw error("\(shape.name).\(field.name) has a type that is not there: \(field.type.name)")
      }
    }
    guard !shape.isMapEntry else {
      guard let key = shape.field(1), let value = shape.field(2), !value.isRepeated,
        !key.isRepeated, case .scalar(let type) = key.type,
        ![.double, .float, .bytes].contains(type)
      else { throw error("\(shape.name) is no entry of a map") }
      return
    }
  }

  private func error(_ message: String) -> DynamicMessageError {
    DynamicMessageError(
      code: .schema, path: "", message: "the descriptors are not complete: \(message)")
  }
}

/// The place of a declaration in the descriptors, as in `SourceCodeInfo`.
struct Location: Sendable {
  let file: Int
  var path: [Int]

  func appending(_ numbers: Int...) -> Location { Location(file: file, path: path + numbers) }
}

struct Symbol: Sendable {
  enum Kind: Sendable {
    case message(Google_Protobuf_DescriptorProto)
    case enumeration(Google_Protobuf_EnumDescriptorProto)
    case service(Google_Protobuf_ServiceDescriptorProto)
    case method(Google_Protobuf_MethodDescriptorProto)
  }

  let location: Location
  let kind: Kind
}
