/// A set of methods under one name. Generated handler protocols refine it.
public protocol Service: Sendable {
  /// The full name in the `.proto` file, package included.
  static var serviceName: String { get }

  /// Every method that is answered.
  var methods: [Method] { get }
}

/// Finds the method that a request names.
struct MethodTable: Sendable {
  struct Entry: Sendable {
    var descriptor: MethodDescriptor
    var method: Method
  }

  private var services: [String: [String: Entry]] = [:]

  /// - Precondition: No two services, and no two methods of one service, share a name.
  init(_ registered: [any Service]) {
    for service in registered {
      let name = type(of: service).serviceName
      precondition(services[name] == nil, "service \(name) is registered twice")
      services[name] = Dictionary(
        service.methods.map { method in
          let descriptor = MethodDescriptor(
            service: name, name: method.name, shape: method.shape)
          return (method.name, Entry(descriptor: descriptor, method: method))
        },
        uniquingKeysWith: { first, _ in
          preconditionFailure("method \(name)/\(first.method.name) is registered twice")
        })
    }
  }

  func method(service: String, method: String) throws(RPCError) -> Entry {
    guard let methods = services[service] else {
      throw RPCError(code: .unimplemented, message: "service \(service)")
    }
    guard let found = methods[method] else {
      throw RPCError(code: .unimplemented, message: "method \(method)")
    }
    return found
  }
}
