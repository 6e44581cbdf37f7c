import SwiftProtobuf
import SwiftProtobufPluginLibrary

extension MessageWriter {
  /// Writes the extensions that convert the message, and nested ones, from and to C structs.
  func writeBridge(to printer: inout CodePrinter) {
    printer.print("")
    printer.printBlock("extension \(name) {") { printer in
      printer.print("\(visible)static var fullName: String { \"\(descriptor.fullName)\" }", "")
      printer.printBlock("\(visible)static var descriptor: MessageDescriptor {") { printer in
        let address = CNames.descriptorAddress(descriptor)
        printer.print(
          "unsafe MessageDescriptor(\(address)(), needsScan: \(schema.needsScan(descriptor)))"
        )
      }
      printer.print("")
      writeLoad(to: &printer)
      printer.print("")
      writeFill(to: &printer)
    }
    for writer in nested { writer.writeBridge(to: &printer) }
  }

  private func writeLoad(to printer: inout CodePrinter) {
    let head =
      "mutating func load(_ source: UnsafeRawPointer, in arena: Arena) throws(ProtobufError)"
    printer.printBlock("\(visible)\(head) {") { printer in
      guard !properties.isEmpty else { return }
      printer.print(
        "let c = unsafe source.assumingMemoryBound(to: \(CNames.structure(descriptor)).self)"
      )
      for property in properties { writeReading(property, to: &printer) }
    }
  }

  private func writeReading(_ property: Property, to printer: inout CodePrinter) {
    switch property.shape {
    case .plain(let field):
      printer.print("unsafe self.\(property.name) = \(field.reading)")
    case .optional(let field, let oneof):
      let test = "unsafe c.pointee.\(CNames.discriminator(oneof)).rawValue"
      printer.printBlock("if \(test) == \(field.descriptor.number) {") { printer in
        printer.print("unsafe self.\(property.name) = \(field.reading)")
      }
    case .oneof(let oneof, _, let fields):
      printer.print("switch unsafe c.pointee.\(CNames.discriminator(oneof)).rawValue {")
      for field in fields {
        printer.print("case \(field.descriptor.number):")
        if field.descriptor.type == .message {
          printer.print(
            "  unsafe self.\(property.name) = (\(field.reading)).map { .\(field.name)($0) }"
          )
        } else {
          printer.print("  unsafe self.\(property.name) = .\(field.name)(\(field.reading))")
        }
      }
      printer.print("default: break", "}")
    }
  }

  private func writeFill(to printer: inout CodePrinter) {
    printer.printBlock(
      "\(visible)func fill(_ target: UnsafeMutableRawPointer, in arena: Arena) {"
    ) { printer in
      guard !properties.isEmpty else { return }
      printer.print(
        "let c = unsafe target.assumingMemoryBound(to: \(CNames.structure(descriptor)).self)"
      )
      for property in properties { writeWriting(property, to: &printer) }
    }
  }

  private func writeWriting(_ property: Property, to printer: inout CodePrinter) {
    func select(_ oneof: OneofDescriptor, _ field: Field) -> String {
      "unsafe c.pointee.\(CNames.discriminator(oneof))"
        + " = .init(rawValue: \(field.descriptor.number))"
    }
    switch property.shape {
    case .plain(let field):
      printer.print(lines: field.writing("self.\(property.name)"))
    case .optional(let field, let oneof):
      printer.printBlock("if let value = self.\(property.name) {") { printer in
        printer.print(select(oneof, field))
        printer.print(lines: field.writing("value"))
      }
    case .oneof(let oneof, _, let fields):
      printer.print("switch self.\(property.name) {")
      for field in fields {
        printer.print("case .\(field.name)(let value):")
        printer.indent()
        printer.print(select(oneof, field))
        printer.print(lines: field.writing("value"))
        printer.outdent()
      }
      printer.print("case nil: break", "}")
    }
  }
}
