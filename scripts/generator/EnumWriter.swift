import SwiftProtobufPluginLibrary

/// Writes a Swift enum that preserves unknown numbers.
struct EnumWriter {
  private let descriptor: EnumDescriptor
  private let name: String
  private let visible: String
  private let cases: [(name: String, number: Int32, comment: [String])]

  init(_ descriptor: EnumDescriptor, schema: Schema) throws {
    self.descriptor = descriptor
    name = try String(schema.name(descriptor).split(separator: ".").last ?? "")
    visible = schema.options.visibility.modifier
    let prefix = SwiftNames.valuePrefix(enumeration: descriptor.name)
    let isPrefixed = descriptor.values.allSatisfy {
      $0.name.hasPrefix(prefix) && $0.name.count > prefix.count
    }
    cases = descriptor.values.map { value in
      let stem = isPrefixed ? String(value.name.dropFirst(prefix.count)) : value.name
      return (SwiftNames.lowerCamel(stem.lowercased()), value.number, value.commentLines)
    }
    if let clash = cases.first(where: { $0.name == "unrecognized" }) {
      throw GeneratorError.unsupported("the case '\(clash.name)' is", at: descriptor.fullName)
    }
  }

  func write(to printer: inout CodePrinter) {
    printer.print("")
    printer.print(lines: descriptor.commentLines)
    printer.printBlock("\(visible)enum \(name): ProtobufEnum {") { printer in
      for item in cases {
        printer.print(lines: item.comment)
        printer.print("case \(SwiftNames.escaped(item.name))")
      }
      printer.print(
        "/// A number that this version of the schema does not name.",
        "///",
        "/// Create values with `init(rawValue:)`, which returns the named case if there is one.",
        "case unrecognized(Int32)",
        "",
        "/// Creates the value of an absent field.",
        "\(visible)init() { self = Self(rawValue: 0) }",
        ""
      )
      printer.printBlock("\(visible)init(rawValue: Int32) {") { printer in
        printer.print("switch rawValue {")
        for item in cases { printer.print("case \(item.number): self = .\(item.name)") }
        printer.print("default: self = .unrecognized(rawValue)", "}")
      }
      printer.print("")
      printer.printBlock("\(visible)var rawValue: Int32 {") { printer in
        printer.print("switch self {")
        for item in cases { printer.print("case .\(item.name): \(item.number)") }
        printer.print("case .unrecognized(let number): number", "}")
      }
    }
  }
}
