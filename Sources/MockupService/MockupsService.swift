public import MockupAPI
public import MockupStore
internal import TTRPC

/// Answers `mockups.v1.MockupService`. What becomes of mockups, workers, their changes as they happen, and
/// their performance have files of their own.
public struct MockupsService: MockupServiceHandler {
  let store: MockupsStore

  public init(store: MockupsStore) {
    self.store = store
  }

  func answer<Value>(
    _ context: ServerContext, _ work: () async throws(MockupError) -> Value
  ) async throws(RPCError) -> Value {
    do {
      return try await work()
    } catch {
      throw RPCError(error, logger: context.logger)
    }
  }
}
