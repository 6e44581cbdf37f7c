/// What the caller decides about the Swift output.
struct SwiftOptions {
  enum Visibility: String {
    case `public`, `package`, `internal`

    /// The word before a declaration, with its space; nothing for the default.
    var modifier: String { self == .internal ? "" : "\(rawValue) " }
  }

  let visibility: Visibility
  /// Stands before the name of each top-level type.
  let prefix: String
  /// The Clang module that holds the C structs.
  let cModule: String
  /// The module that defines `Service`, `Client` and so on; without it, services are refused.
  let serviceModule: String?
  let imports: [String]
  /// The enum through which the C module's descriptor set is read, where it has one.
  let descriptorSet: String?

  init(_ arguments: Arguments) throws {
    let word = arguments.optional("visibility") ?? "internal"
    guard let visibility = Visibility(rawValue: word) else {
      throw GeneratorError("--visibility: \(word) is none of public, package, internal")
    }
    self.visibility = visibility
    prefix = arguments.optional("prefix") ?? ""
    cModule = try arguments.required("c-module")
    serviceModule = arguments.optional("service-module")
    imports = arguments.all("import")
    descriptorSet = arguments.optional("descriptor-set")
  }
}
