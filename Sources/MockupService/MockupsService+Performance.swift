public import MockupAPI
public import TTRPC

extension MockupsService {
  public func recordPerformance(
    _ request: RecordPerformanceRequest, context: ServerContext
  ) async throws -> RecordPerformanceResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }

  public func streamPerformance(
    _ requests: MessageStream<StreamPerformanceRequest>, context: ServerContext
  ) async throws -> StreamPerformanceResponse {
    throw RPCError(code: .unimplemented, message: "not yet")
  }
}
