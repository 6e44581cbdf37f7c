import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// A method of a service, with the Swift code that declares, binds and calls it.
struct ServiceMethod {
  /// The sides that send a stream of messages; the cases are named like those of `TTRPC.CallShape`.
  enum Shape {
    case unary, serverStreaming, clientStreaming, bidirectional
  }

  /// The ways in which a unary handler runs; the cases are named like those of `TTRPC.Method`.
  enum Execution: String {
    /// In a task of its own.
    case unary
    /// Synchronously on the event loop, without I/O.
    case immediate
    /// Without a task: the handler passes the response to a completion.
    case deferred
  }

  /// The name of the method in requests.
  let name: String
  let shape: Shape
  let isIdempotent: Bool
  private let execution: Execution
  let comment: [String]
  private let property: String
  private let request: String
  private let response: String
  /// The module that defines the types that are not generated.
  private let module: String

  init(_ descriptor: MethodDescriptor, module: String, schema: Schema) throws {
    name = descriptor.name
    shape =
      switch (descriptor.clientStreaming, descriptor.serverStreaming) {
      case (false, false): .unary
      case (false, true): .serverStreaming
      case (true, false): .clientStreaming
      case (true, true): .bidirectional
      }
    isIdempotent =
      switch descriptor.options.idempotencyLevel {
      case .idempotent, .noSideEffects: true
      case .idempotencyUnknown: false
      }
    let path = "\(descriptor.service.name).\(descriptor.name)"
    execution = schema.options.executions[path] ?? .unary
    guard execution == .unary || shape == .unary else {
      throw GeneratorError("--\(execution.rawValue): \(path) is not a unary method")
    }
    comment = descriptor.commentLines
    property = SwiftNames.lowerCamel(descriptor.name)
    request = try schema.name(descriptor.inputType)
    response = try schema.name(descriptor.outputType)
    self.module = module
  }

  private var function: String { SwiftNames.escaped(property) }

  /// The requirement of the handler protocol.
  var requirement: [String] {
    let context = "context: \(module).ServerContext"
    let responses = "responses: \(module).ResponseWriter<\(response)>"
    let requests = "_ requests: \(module).MessageStream<\(request)>"
    return switch shape {
    case .unary:
      switch execution {
      case .unary:
        [
          "func \(function)(",
          "  _ request: \(request), \(context)",
          ") async throws -> \(response)",
        ]
      case .immediate:
        [
          "func \(function)(",
          "  _ request: \(request), \(context)",
          ") throws -> \(response)",
        ]
      case .deferred:
        [
          "func \(function)(",
          "  _ request: \(request), \(context),",
          "  completion: \(module).Method.Completion<\(response)>",
          ") throws -> \(module).Method.Cancellation",
        ]
      }
    case .serverStreaming:
      [
        "func \(function)(",
        "  _ request: \(request), \(responses),",
        "  \(context)",
        ") async throws",
      ]
    case .clientStreaming:
      [
        "func \(function)(",
        "  \(requests), \(context)",
        ") async throws -> \(response)",
      ]
    case .bidirectional:
      [
        "func \(function)(",
        "  \(requests),",
        "  \(responses),",
        "  \(context)",
        ") async throws",
      ]
    }
  }

  /// The element of the handler's `methods`.
  var binding: [String] {
    switch (shape, execution) {
    case (.unary, .immediate):
      return [
        ".immediate(\"\(name)\", \(request).self) { request, context in",
        "  try self.\(property)(request, context: context)",
        "},",
      ]
    case (.unary, .deferred):
      return [
        ".deferred(\"\(name)\", \(request).self) { request, context, completion in",
        "  try self.\(property)(request, context: context, completion: completion)",
        "},",
      ]
    default: break
    }
    let (parameters, arguments) =
      switch shape {
      case .unary: ("request", "request")
      case .serverStreaming: ("request, responses", "request, responses: responses")
      case .clientStreaming: ("requests", "requests")
      case .bidirectional: ("requests, responses", "requests, responses: responses")
      }
    return [
      ".\(shape)(\"\(name)\", \(request).self) { \(parameters), context in",
      "  try await self.\(property)(\(arguments), context: context)",
      "},",
    ]
  }

  /// Returns the constant of the client's `Methods`.
  func constant(of service: String) -> [String] {
    [
      "static let \(function) = \(module).MethodDescriptor(",
      "  service: \(service), name: \"\(name)\", shape: .\(shape), isIdempotent: \(isIdempotent))",
    ]
  }

  /// The method of the client.
  var stub: [String] {
    let options = "options: \(module).CallOptions = .init()"
    let requests = "\(module).RequestWriter<\(request)>"
    let responses = "\(module).MessageStream<\(response)>"
    return switch shape {
    case .unary:
      [
        "func \(function)(",
        "  _ request: \(request), \(options)",
        ") async throws(\(module).RPCError) -> \(response) {",
        "  try await client.unary(Methods.\(property), request, options: options)",
        "}",
      ]
    case .serverStreaming:
      [
        "func \(function)<Value>(",
        "  _ request: \(request), \(options),",
        "  _ body: (\(responses)) async throws -> Value",
        ") async throws -> Value {",
        "  try await client.serverStreaming(Methods.\(property), request, options: options, body)",
        "}",
      ]
    case .clientStreaming:
      [
        "func \(function)(",
        "  \(options),",
        "  _ body: (\(requests)) async throws -> Void",
        ") async throws -> \(response) {",
        "  try await client.clientStreaming(Methods.\(property), options: options, body)",
        "}",
      ]
    case .bidirectional:
      [
        "func \(function)<Value>(",
        "  \(options),",
        "  _ body: (",
        "    \(requests), \(responses)",
        "  ) async throws -> Value",
        ") async throws -> Value {",
        "  try await client.bidirectional(Methods.\(property), options: options, body)",
        "}",
      ]
    }
  }
}
