public import MockupAPI
public import TTRPC

extension MockupsService {
  public func generateMockups(
    _ request: GenerateMockupsRequest, context: ServerContext
  ) async throws -> GenerateMockupsResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }

  public func regenerateMockup(
    _ request: RegenerateMockupRequest, context: ServerContext
  ) async throws -> RegenerateMockupResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }

  public func claimMockups(
    _ request: ClaimMockupsRequest, context: ServerContext
  ) async throws -> ClaimMockupsResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }

  public func heartbeatMockup(
    _ request: HeartbeatMockupRequest, context: ServerContext
  ) async throws -> HeartbeatMockupResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }

  public func completeMockup(
    _ request: CompleteMockupRequest, context: ServerContext
  ) async throws -> CompleteMockupResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }

  public func failMockup(
    _ request: FailMockupRequest, context: ServerContext
  ) async throws -> FailMockupResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }

  public func approveMockup(
    _ request: ApproveMockupRequest, context: ServerContext
  ) async throws -> ApproveMockupResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }

  public func rejectMockup(
    _ request: RejectMockupRequest, context: ServerContext
  ) async throws -> RejectMockupResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }

  public func getMockup(
    _ request: GetMockupRequest, context: ServerContext
  ) async throws -> GetMockupResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }

  public func listMockups(
    _ request: ListMockupsRequest, context: ServerContext
  ) async throws -> ListMockupsResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }

  public func deleteMockup(
    _ request: DeleteMockupRequest, context: ServerContext
  ) async throws -> DeleteMockupResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }
}
