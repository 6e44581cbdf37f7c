/// The command line's options for the Swift output.
struct SwiftOptions {
  enum Visibility: String {
    case `public`, `package`, `internal`

    /// The modifier before a declaration, with a space; empty for the default visibility.
    var modifier: String { self == .internal ? "" : "\(rawValue) " }
  }

  let visibility: Visibility
  /// The prefix of the names of top-level types.
  let prefix: String
  /// The Clang module that holds the C structs.
  let cModule: String
  /// The module that defines `Service`, `Client` etc.; nil if services are not supported.
  let serviceModule: String?
  /// The name of the enum that reads the C module's descriptor set; nil if there is none.
  let descriptorSet: String?
  /// The unary methods whose handlers do not run in a task, as `Service.Method`.
  let executions: [String: ServiceMethod.Execution]

  init(_ arguments: Arguments) throws {
    let word = arguments.optional("visibility") ?? "internal"
    guard let visibility = Visibility(rawValue: word) else {
      throw GeneratorError("--visibility must be public, package or internal, not '\(word)'")
    }
    self.visibility = visibility
    prefix = arguments.optional("prefix") ?? ""
    cModule = try arguments.required("c-module")
    serviceModule = arguments.optional("service-module")
    descriptorSet = arguments.optional("descriptor-set")
    var executions: [String: ServiceMethod.Execution] = [:]
    for method in arguments.all("immediate") { executions[method] = .immediate }
    for method in arguments.all("deferred") { executions[method] = .deferred }
    self.executions = executions
  }
}
