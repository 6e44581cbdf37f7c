public import ProtobufC
public import TTRPC

/// A reflection service, `grpc.reflection.v1.ServerReflection`.
///
/// It lists the server's services and returns the descriptors of their `.proto` files. Register
/// ``versions``, since older tools call `grpc.reflection.v1alpha.ServerReflection`.
public struct ReflectionService: ServerReflectionHandler {
  private typealias MessageResponse = ServerReflectionResponse.MessageResponse

  /// The service under its former name, which answers with the same methods.
  private struct Alpha: Service {
    static let serviceName = "grpc.reflection.v1alpha.ServerReflection"

    let methods: [Method]
  }

  /// The names of all services, including both names of this one, sorted.
  private let services: [String]
  private let index: DescriptorIndex

  /// Creates a service for the given services and descriptors.
  ///
  /// - Parameters:
  ///   - services: The server's other services.
  ///   - descriptorSets: The descriptors of these services, as serialized
  ///     `google.protobuf.FileDescriptorSet`s that include all imports. The set for this module's
  ///     own services is added automatically.
  /// - Throws: ``ProtobufError`` if a set cannot be parsed.
  public init(
    services: [any Service], descriptorSets: [[UInt8]]
  ) throws(ProtobufError) {
    let names = services.map { type(of: $0).serviceName }
    self.services = (names + [Self.serviceName, Alpha.serviceName]).sorted()
    index = try DescriptorIndex(descriptorSets + [TTRPCServicesDescriptors.fileDescriptorSet])
  }

  /// The service under its name and under its former name, `v1alpha`.
  public var versions: [any Service] { [self, Alpha(methods: methods)] }

  /// Responds to each request of a stream, in order, until the client ends it.
  public func serverReflectionInfo(
    _ requests: MessageStream<ServerReflectionRequest>,
    responses: ResponseWriter<ServerReflectionResponse>,
    context: ServerContext
  ) async throws {
    // Some clients keep the stream open for as long as they run.
    context.endAtDrain()
    for try await request in requests {
      try await responses.write(
        ServerReflectionResponse(
          validHost: request.host, originalRequest: request,
          messageResponse: response(to: request.messageRequest)))
    }
  }

  private func response(
    to request: ServerReflectionRequest.MessageRequest?
  ) -> MessageResponse {
    switch request {
    case .fileByFilename(let name):
      files(from: name)
    case .fileContainingSymbol(let symbol):
      files(from: index.fileName(declaring: symbol))
    case .fileContainingExtension(let request):
      files(
        from: index.fileName(
          declaring: request.extensionNumber, extending: request.containingType))
    case .allExtensionNumbersOfType(let message):
      if let numbers = index.extensionNumbers(of: message) {
        .allExtensionNumbersResponse(
          ExtensionNumberResponse(baseTypeName: message, extensionNumber: numbers))
      } else {
        errorResponse(.notFound, "unknown message type")
      }
    case .listServices:
      .listServicesResponse(
        ListServiceResponse(service: services.map { ServiceResponse(name: $0) }))
    case nil:
      errorResponse(.invalidArgument, "unknown or missing message_request")
    }
  }

  /// Returns a file with all its imports, including those that the client received before.
  private func files(from name: String?) -> MessageResponse {
    guard let name, let files = index.files(from: name) else {
      return errorResponse(.notFound, "no matching file")
    }
    return .fileDescriptorResponse(FileDescriptorResponse(fileDescriptorProto: files))
  }

  private func errorResponse(_ code: StatusCode, _ message: String) -> MessageResponse {
    .errorResponse(ErrorResponse(errorCode: code.rawValue, errorMessage: message))
  }
}
