import SwiftProtobufPluginLibrary

/// Writes the protocol that a server implements for a service, and the client of the service.
struct ServiceWriter {
  private let descriptor: ServiceDescriptor
  private let module: String
  private let visible: String
  private let name: String
  private let methods: [ServiceMethod]

  init(_ descriptor: ServiceDescriptor, schema: Schema) throws {
    guard let module = schema.options.serviceModule else {
      throw GeneratorError("\(descriptor.fullName): a service needs --service-module")
    }
    self.descriptor = descriptor
    self.module = module
    visible = schema.options.visibility.modifier
    name = schema.options.prefix + SwiftNames.type(descriptor.name)
    methods = try descriptor.methods.map { method in
      try ServiceMethod(method, module: module, schema: schema)
    }
  }

  func write(to printer: inout CodePrinter) {
    printer.print("")
    writeProtocol(to: &printer)
    printer.print("")
    writeMethods(to: &printer)
    printer.print("")
    writeClient(to: &printer)
  }

  private func writeProtocol(to printer: inout CodePrinter) {
    printer.print(lines: descriptor.commentLines)
    printer.printBlock("\(visible)protocol \(name)Handler: \(module).Service {") { printer in
      for (index, method) in methods.enumerated() {
        if index > 0 { printer.print("") }
        printer.print(lines: method.comment)
        printer.print(lines: method.requirement)
      }
    }
  }

  private func writeMethods(to printer: inout CodePrinter) {
    printer.printBlock("extension \(name)Handler {") { printer in
      printer.print("/// The full name of the service, as sent in requests.")
      printer.print("\(visible)static var serviceName: String { \"\(descriptor.fullName)\" }", "")
      printer.print("/// The methods of the service, bound to this handler.")
      printer.printBlock("\(visible)var methods: [\(module).Method] {") { printer in
        printer.print("[")
        printer.indent()
        for method in methods { printer.print(lines: method.binding) }
        printer.outdent()
        printer.print("]")
      }
    }
  }

  private func writeClient(to printer: inout CodePrinter) {
    printer.print("/// A client of `\(descriptor.fullName)`.")
    printer.printBlock("\(visible)struct \(name)Client: Sendable {") { printer in
      printer.print(
        "/// The full name of the service, as sent in requests.",
        "\(visible)static let serviceName = \"\(descriptor.fullName)\"",
        "",
        "/// The descriptors of the service's methods."
      )
      printer.printBlock("\(visible)enum Methods {") { printer in
        for method in methods {
          let constant = method.constant(of: "\(name)Client.serviceName")
          printer.print("/// The descriptor of `\(method.name)`.")
          printer.print(lines: visibly(constant))
        }
      }
      printer.print(
        "",
        "private let client: \(module).Client",
        "",
        "/// Creates a client that makes its calls with `client`, which it does not own.",
        "\(visible)init(_ client: \(module).Client) {",
        "  self.client = client",
        "}"
      )
      for method in methods {
        printer.print("")
        printer.print(lines: method.comment)
        printer.print(lines: visibly(method.stub))
      }
    }
  }

  /// Returns a declaration with the visibility modifier before its first line.
  private func visibly(_ lines: [String]) -> [String] {
    lines.prefix(1).map { visible + $0 } + lines.dropFirst()
  }
}
