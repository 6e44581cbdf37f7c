import TTRPC

/// The service of gRPC's interoperability tests, implemented with this library.
///
/// See <https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md>.
struct InteropService: TestServiceHandler {
  func emptyCall(_ request: Nothing, context: ServerContext) async throws -> Nothing {
    Nothing()
  }

  func unaryCall(_ request: SimpleRequest, context: ServerContext) async throws -> SimpleResponse {
    echoMetadata(context)
    if request.expectCompressed?.value == true, !context.isRequestCompressed {
      throw RPCError(code: .invalidArgument, message: "the request is not compressed")
    }
    try check(request.responseStatus)
    return SimpleResponse(payload: payload(of: request.responseSize))
  }

  func streamingOutputCall(
    _ request: StreamingOutputCallRequest, responses: ResponseWriter<StreamingOutputCallResponse>,
    context: ServerContext
  ) async throws {
    try await answer(request, responses)
  }

  func streamingInputCall(
    _ requests: MessageStream<StreamingInputCallRequest>, context: ServerContext
  ) async throws -> StreamingInputCallResponse {
    var size = 0
    for try await request in requests { size += request.payload?.body.count ?? 0 }
    return StreamingInputCallResponse(aggregatedPayloadSize: Int32(clamping: size))
  }

  func fullDuplexCall(
    _ requests: MessageStream<StreamingOutputCallRequest>,
    responses: ResponseWriter<StreamingOutputCallResponse>, context: ServerContext
  ) async throws {
    echoMetadata(context)
    for try await request in requests { try await answer(request, responses) }
  }

  private func answer(
    _ request: StreamingOutputCallRequest, _ responses: ResponseWriter<StreamingOutputCallResponse>
  ) async throws {
    try check(request.responseStatus)
    for parameters in request.responseParameters {
      try await Task.sleep(for: .microseconds(max(parameters.intervalUs, 0)))
      try await responses.write(StreamingOutputCallResponse(payload: payload(of: parameters.size)))
    }
  }

  /// Sends the client's metadata back, where the case `custom_metadata` expects it.
  private func echoMetadata(_ context: ServerContext) {
    var (initial, trailing) = (Metadata(), Metadata())
    initial["x-grpc-test-echo-initial"] = context.metadata["x-grpc-test-echo-initial"]
    trailing["x-grpc-test-echo-trailing-bin"] = context.metadata["x-grpc-test-echo-trailing-bin"]
    context.setResponseMetadata(initial: initial, trailing: trailing)
  }

  /// Throws the status that the client asks for.
  private func check(_ status: EchoStatus?) throws(RPCError) {
    guard let status, status.code != 0 else { return }
    throw RPCError(
      code: StatusCode(rawValue: status.code) ?? .unknown,
      message: status.message)
  }

  private func payload(of size: Int32) -> Payload {
    Payload(body: [UInt8](repeating: 0, count: Int(min(max(size, 0), 4_000_000))))
  }
}
