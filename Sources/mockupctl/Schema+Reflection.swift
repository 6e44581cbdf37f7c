internal import DynamicMessages
internal import TTRPC
internal import TTRPCServices

extension Schema {
  /// Asks a server what it answers, all its services and their types.
  ///
  /// - Throws: `RPCError`; `DynamicMessageError` where the answers make no schema.
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
        message: "the server has no reflection, by which its methods would be known", cause: error)
    }
  }
}

/// Questions to a server's reflection, each answered before the next.
private struct ReflectionDialogue {
  typealias Question = ServerReflectionRequest.MessageRequest
  typealias Answer = ServerReflectionResponse.MessageResponse

  let requests: RequestWriter<ServerReflectionRequest>
  let responses: MessageStream<ServerReflectionResponse>

  func services() async throws(RPCError) -> [String] {
    guard case .listServicesResponse(let list) = try await answer(to: .listServices("")) else {
      throw .strangeAnswer
    }
    return list.service.map(\.name)
  }

  /// The file that declares a service, and all that it imports; nothing where the server has none,
  /// which is no reason to know nothing of the others.
  func files(declaring service: String) async throws(RPCError) -> [[UInt8]] {
    do throws(RPCError) {
      let answer = try await answer(to: .fileContainingSymbol(service))
      guard case .fileDescriptorResponse(let response) = answer else { throw .strangeAnswer }
      return response.fileDescriptorProto
    } catch  where error.code == .notFound {
      return []
    }
  }

  private func answer(to question: Question) async throws(RPCError) -> Answer {
    try await requests.write(ServerReflectionRequest(messageRequest: question))
    guard let answer = try await responses.next()?.messageResponse else { throw .strangeAnswer }
    if case .errorResponse(let error) = answer {
      throw RPCError(
        code: StatusCode(rawValue: error.errorCode) ?? .unknown,
        message: "the server's reflection says: \(error.errorMessage)")
    }
    return answer
  }
}

extension RPCError {
  fileprivate static let strangeAnswer = RPCError(
    code: .internalError, message: "the server's reflection does not answer what it was asked")
}
