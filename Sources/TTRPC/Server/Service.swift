public import ProtobufC

/// A set of methods under one name. Generated handler protocols refine it.
public protocol Service: Sendable {
  /// The full name in the `.proto` file, package included.
  static var serviceName: String { get }

  /// Every method that is answered.
  var methods: [Method] { get }
}

/// One method of a service: its bare name, and what answers it.
public struct Method: Sendable {
  /// The name in the `.proto` file.
  public let name: String

  /// Bytes of a request in, bytes of a response out.
  let answer: @Sendable (_ request: [UInt8], ServerContext) async throws -> [UInt8]

  /// A method with one request and one response.
  ///
  /// A request that cannot be read is answered with ``StatusCode/internalError`` and never reaches the
  /// handler. A handler ends a call with a status by throwing ``RPCError``; any other error is
  /// ``StatusCode/unknown`` to the caller, and its text goes to the log alone.
  public static func unary<Request: ProtobufMessage, Response: ProtobufMessage>(
    _ name: String,
    _ request: Request.Type,
    _ handler: @escaping @Sendable (Request, ServerContext) async throws -> Response
  ) -> Method {
    Method(name: name) { bytes, context in
      let request: Request
      do {
        request = try Request(serialized: bytes)
      } catch {
        throw RPCError(
          code: .internalError, message: "the request is no \(Request.fullName): \(error)",
          cause: error)
      }
      return try await handler(request, context).serialized()
    }
  }
}

/// Finds the method that a request names.
struct MethodTable: Sendable {
  private var services: [String: [String: Method]] = [:]

  /// - Precondition: No two services, and no two methods of one service, share a name.
  init(_ registered: [any Service]) {
    for service in registered {
      let name = type(of: service).serviceName
      precondition(services[name] == nil, "service \(name) is registered twice")
      services[name] = Dictionary(
        service.methods.map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in
          preconditionFailure("method \(name)/\(first.name) is registered twice")
        })
    }
  }

  func method(service: String, method: String) throws(RPCError) -> Method {
    guard let methods = services[service] else {
      throw RPCError(code: .unimplemented, message: "service \(service)")
    }
    guard let found = methods[method] else {
      throw RPCError(code: .unimplemented, message: "method \(method)")
    }
    return found
  }
}
