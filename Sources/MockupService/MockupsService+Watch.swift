public import MockupAPI
public import TTRPC

extension MockupsService {
  public func watchMockups(
    _ request: WatchMockupsRequest, responses: ResponseWriter<WatchMockupsResponse>,
    context: ServerContext
  ) async throws {
    throw RPCError(code: .unimplemented, message: "not yet")
  }
}
