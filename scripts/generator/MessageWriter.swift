import SwiftProtobufPluginLibrary

/// Writes a message as a Swift struct; the conversions are in `MessageWriter+Bridge.swift`.
struct MessageWriter {
  let descriptor: Descriptor
  let name: String
  let visible: String
  let properties: [Property]
  let nested: [MessageWriter]
  let schema: Schema
  private let enums: [EnumWriter]

  init(_ descriptor: Descriptor, schema: Schema) throws {
    self.descriptor = descriptor
    self.schema = schema
    name = try schema.name(descriptor)
    visible = schema.options.visibility.modifier
    properties = try Property.all(of: descriptor, schema: schema)
    nested = try descriptor.messages.map { try MessageWriter($0, schema: schema) }
    enums = try descriptor.enums.map { try EnumWriter($0, schema: schema) }
    let names = properties.map(\.name)
    if let clash = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw GeneratorError("\(descriptor.fullName): two fields have the Swift name '\(clash)'")
    }
  }

  func writeDeclaration(to printer: inout CodePrinter) {
    let ownName = name.split(separator: ".").last ?? ""
    printer.print("")
    printer.print(lines: descriptor.commentLines)
    printer.printBlock("\(visible)struct \(ownName): ProtobufMessage {") { printer in
      for property in properties { writeStorage(property, to: &printer) }
      if !properties.isEmpty { printer.print("") }
      printer.print("\(visible)init() {}")
      writeMemberwiseInit(to: &printer)
      for property in properties { writeOneof(property, to: &printer) }
      for writer in enums { writer.write(to: &printer) }
      for writer in nested { writer.writeDeclaration(to: &printer) }
    }
  }

  private func writeStorage(_ property: Property, to printer: inout CodePrinter) {
    printer.print(lines: property.comment)
    let declaration = "\(visible)var \(property.escapedName): \(property.type)"
    guard property.isBoxed else {
      printer.print("\(declaration) = \(property.defaultValue)")
      return
    }
    printer.printBlock("\(declaration) {") { printer in
      printer.print(
        "get { \(property.name)Box.first }",
        "set { \(property.name)Box = newValue.map { [$0] } ?? [] }"
      )
    }
    printer.print(
      "/// The value, or no element: an array, because a struct cannot contain itself.",
      "private var \(property.name)Box: [\(property.type.dropLast())] = []"
    )
  }

  private func writeMemberwiseInit(to printer: inout CodePrinter) {
    guard !properties.isEmpty else { return }
    printer.print(
      "", "/// Creates a message with the given values; other fields are absent.",
      "\(visible)init(")
    printer.indent()
    for (index, property) in properties.enumerated() {
      let comma = index == properties.count - 1 ? "" : ","
      printer.print("\(property.escapedName): \(property.type) = \(property.defaultValue)\(comma)")
    }
    printer.outdent()
    printer.printBlock(") {") { printer in
      for property in properties {
        printer.print("self.\(property.name) = \(property.escapedName)")
      }
    }
  }

  private func writeOneof(_ property: Property, to printer: inout CodePrinter) {
    guard case .oneof(let oneof, let type, let fields) = property.shape else { return }
    let indirect = fields.contains(where: \.isRecursive) ? "indirect " : ""
    printer.print("")
    printer.print(lines: oneof.commentLines)
    printer.printBlock("\(visible)\(indirect)enum \(type): Sendable, Hashable {") { printer in
      for field in fields {
        printer.print(lines: field.descriptor.commentLines)
        printer.print("case \(field.property)(\(field.elementType))")
      }
    }
  }
}
