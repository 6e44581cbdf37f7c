internal import DynamicMessages
internal import TTRPC
internal import TTRPCServices

extension Schema {
  /// Reads all services of a server, and their types, by reflection.
  ///
  /// - Throws: `RPCError`; `DynamicMessageError` if the responses are not a valid schema.
  static func ofServer(_ client: Client, timeout: Duration) async throws -> Schema {
    let options = CallOptions(timeout: timeout)
    do {
      let files = try await ServerReflectionClient(client).serverReflectionInfo(options: options) {
        requests, responses in
        let dialogue = ReflectionDialogue(requests: requests, responses: responses)
        var files: Set<[UInt8]> = []
        for service in try await dialogue.services() {
          files.formUnion(try await dialogue.files(declaring: service))
        }
        try await requests.finish()
        _ = try await responses.next()
        return files
      }
      return try Schema(files: Array(files))
    } catch let error as RPCError where error.code == .unimplemented {
      throw RPCError(
        code: .unimplemented,
        message: "the server does not support reflection, which this command needs", cause: error)
    }
  }
}

/// A reflection call, in which each question is answered before the next.
private struct ReflectionDialogue {
  typealias Question = ServerReflectionRequest.MessageRequest
  typealias Answer = ServerReflectionResponse.MessageResponse

  let requests: RequestWriter<ServerReflectionRequest>
  let responses: MessageStream<ServerReflectionResponse>

  func services() async throws(RPCError) -> [String] {
    guard case .listServicesResponse(let list) = try await answer(to: .listServices("")) else {
      throw .unexpectedAnswer
    }
    return list.service.map(\.name)
  }

  /// Reads the file that declares a service, and the files that it imports.
  ///
  /// - Returns: An empty array if the server has no such file; other services can still be used.
  func files(declaring service: String) async throws(RPCError) -> [[UInt8]] {
    do throws(RPCError) {
      let answer = try await answer(to: .fileContainingSymbol(service))
      guard case .fileDescriptorResponse(let response) = answer else { throw .unexpectedAnswer }
      return response.fileDescriptorProto
    } catch  where error.code == .notFound {
      return []
    }
  }

  private func answer(to question: Question) async throws(RPCError) -> Answer {
    try await requests.write(ServerReflectionRequest(messageRequest: question))
    guard let answer = try await responses.next()?.messageResponse else { throw .unexpectedAnswer }
    if case .errorResponse(let error) = answer {
      throw RPCError(
        code: StatusCode(rawValue: error.errorCode) ?? .unknown,
        message: "reflection failed: \(error.errorMessage)")
    }
    return answer
  }
}

extension RPCError {
  fileprivate static let unexpectedAnswer = RPCError(
    code: .internalError, message: "the server's reflection sent an unexpected response")
}
