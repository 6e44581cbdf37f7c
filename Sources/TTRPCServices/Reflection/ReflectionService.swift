public import ProtobufC
public import TTRPC

/// Tells clients what the server answers, from the descriptors of its schema:
/// `grpc.reflection.v1.ServerReflection`.
public struct ReflectionService: ServerReflectionHandler {
  private typealias Answer = ServerReflectionResponse.MessageResponse

  /// The names of all services, this one among them, in order.
  private let services: [String]
  private let index: DescriptorIndex

  /// - Parameters:
  ///   - services: What the server answers besides this service.
  ///   - descriptorSets: The schema of the services: serialized `google.protobuf.FileDescriptorSet`s,
  ///     made with all imports. This module's own need not be among them.
  /// - Throws: ``ProtobufError`` where a set cannot be read.
  public init(
    services: [any Service], descriptorSets: [[UInt8]]
  ) throws(ProtobufError) {
    self.services = (services.map { type(of: $0).serviceName } + [Self.serviceName]).sorted()
    index = try DescriptorIndex(descriptorSets + [TTRPCServicesDescriptors.fileDescriptorSet])
  }

  public func serverReflectionInfo(
    _ requests: MessageStream<ServerReflectionRequest>,
    responses: ResponseWriter<ServerReflectionResponse>,
    context: ServerContext
  ) async throws {
    // Some clients keep the stream for as long as they live.
    context.endAtDrain()
    for try await request in requests {
      try await responses.write(
        ServerReflectionResponse(
          validHost: request.host, originalRequest: request,
          messageResponse: answer(request.messageRequest)))
    }
  }

  private func answer(_ question: ServerReflectionRequest.MessageRequest?) -> Answer {
    switch question {
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
        refusal(.notFound, "there is no such message")
      }
    case .listServices:
      .listServicesResponse(
        ListServiceResponse(service: services.map { ServiceResponse(name: $0) }))
    case nil:
      refusal(.invalidArgument, "the request asks nothing that is known here")
    }
  }

  /// All imports go along each time: what a client has from earlier answers is its own affair.
  private func files(from name: String?) -> Answer {
    guard let name, let files = index.files(from: name) else {
      return refusal(.notFound, "no file has it")
    }
    return .fileDescriptorResponse(FileDescriptorResponse(fileDescriptorProto: files))
  }

  private func refusal(_ code: StatusCode, _ message: String) -> Answer {
    .errorResponse(ErrorResponse(errorCode: code.rawValue, errorMessage: message))
  }
}
