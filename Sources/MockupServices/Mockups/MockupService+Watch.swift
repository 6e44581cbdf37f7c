internal import FoundationEssentials
public import MockupAPI
internal import MockupDatabase
internal import Postgres
public import TTRPC

extension MockupService {
  /// The number of changes that are read at a time.
  private static let pageSize: Int32 = 100

  /// Sends the changes of a user's mockups until the caller ends the call.
  public func watchMockups(
    _ request: WatchMockupsRequest, responses: ResponseWriter<WatchMockupsResponse>,
    context: ServerContext
  ) async throws {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let token = try PageToken.revision(request.resumeToken, of: userID, "resume_token")
    guard token == nil || !request.sendCurrent else {
      throw RPCError.invalid("send_current", "cannot be combined with resume_token")
    }
    context.endAtDrain()

    // The watch is registered before the last revision is read, so that every later change wakes
    // it.
    let watch = watchers.watch(.mockups(of: userID))
    defer { watchers.forget(watch) }
    let last = try await lastRevision(of: userID, context)
    guard token ?? 0 <= last else {
      throw RPCError.invalid("resume_token", "is later than the last change of the user's mockups")
    }
    var revision = token ?? (request.sendCurrent ? 0 : last)
    try await responses.write(
      WatchMockupsResponse(resumeToken: PageToken.text(revision, of: userID)))

    for await _ in watch.wakes {
      var isLastPage = false
      while !isLastPage {
        let changes = try await changes(of: userID, after: revision, context)
        for change in changes {
          revision = change.revision
          // A watch that starts with the current mockups skips the ones that are already deleted.
          if request.sendCurrent, change.mockup == nil, revision <= last { continue }
          let response = WatchMockupsResponse(change, of: userID)
          try await responses.write(
            limit.checked(response, "mockup \(change.mockupID.wireText)"))
        }
        isLastPage = changes.count < Int(Self.pageSize)
      }
    }
    // The wakes end only when the call's task is cancelled.
    throw CancellationError()
  }

  private func lastRevision(
    of userID: UUID, _ context: ServerContext
  ) async throws(RPCError) -> Int64 {
    let revision = try await read(context, of: userID) { () throws(PostgresError) in
      try await feed.revision(of: userID)
    }
    guard let revision else {
      throw RPCError(code: .notFound, message: "there is no user \(userID.wireText)")
    }
    return revision
  }

  private func changes(
    of userID: UUID, after revision: Int64, _ context: ServerContext
  ) async throws(RPCError) -> [MockupChange] {
    try await read(context, of: userID) { () throws(PostgresError) in
      try await feed.changes(of: userID, after: revision, count: Self.pageSize)
    }
  }

  /// Reads from the database for a watcher, with a limit on concurrent reads of each partition.
  private func read<Value>(
    _ context: ServerContext, of userID: UUID,
    _ work: () async throws(PostgresError) -> Value
  ) async throws(RPCError) -> Value {
    try await answer(context) { () throws(PostgresError) in
      try await readers[feed.partition(of: userID)].withPermit(work)
    }
  }
}

extension WatchMockupsResponse {
  fileprivate init(_ change: MockupChange, of userID: UUID) {
    self.init(
      mockup: change.mockup.map { MockupAPI.Mockup($0) },
      deletedMockupID: change.mockup == nil ? change.mockupID.wireText : "",
      resumeToken: PageToken.text(change.revision, of: userID))
  }
}
