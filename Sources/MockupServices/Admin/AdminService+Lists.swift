internal import FoundationEssentials
public import MockupAPI
internal import MockupCore
internal import MockupDatabase
public import TTRPC

extension AdminService {
  /// The maximum number of characters of a label.
  private static let maximumLabelLength = 1000
  /// The maximum number of users that FindUsers returns.
  private static let maximumUsersFound: Int32 = 100

  /// Returns a page of the unresolved reservations of all users.
  public func listUnresolvedReservations(
    _ request: ListUnresolvedReservationsRequest, context: ServerContext
  ) async throws -> ListUnresolvedReservationsResponse {
    let count = try RequestFields.pageSize(request.pageSize, "page_size")
    let cursor = try PageToken.unresolved(request.pageToken, "page_token")
    let page = try await answer(context) { () throws(CreditError) in
      try await store.unresolvedReservations(after: cursor, count: count)
    }
    let (reservations, cutAfter) = try limit.page(
      of: page.rows, { "reservation \($0.reservation.id.wireText)" },
      { MockupAPI.UnresolvedReservation($0) })
    let next = cutAfter.map(UnresolvedCursor.init) ?? page.next
    return ListUnresolvedReservationsResponse(
      reservations: reservations, nextPageToken: next.map(PageToken.text) ?? "")
  }

  /// Returns the ids of the users with a label.
  public func findUsers(
    _ request: FindUsersRequest, context: ServerContext
  ) async throws -> FindUsersResponse {
    let label = try RequestFields.length(request.label, 1...Self.maximumLabelLength, "label")
    let users = try await answer(context) { () throws(CreditError) in
      try await store.users(labelled: label, count: Self.maximumUsersFound)
    }
    return FindUsersResponse(userIDs: users.map(\.wireText))
  }

  /// Streams the ledgers of all users.
  public func exportLedger(
    _ request: ExportLedgerRequest, responses: ResponseWriter<ExportLedgerResponse>,
    context: ServerContext
  ) async throws {
    let year = try RequestFields.year(request.year, "year")
    let month = try RequestFields.month(request.month, "month")
    // An export can be continued, so a server that stops does not wait for it.
    context.endAtDrain()
    let start = try PageToken.export(request.resumeToken, "resume_token")
    let export = LedgerExport<ExportCursor>(limit: limit)
    try await export.run(after: start) { cursor in
      try await answer(context) { () throws(CreditError) in
        try await store.export(
          year: year, month: month, after: cursor,
          count: LedgerExport<ExportCursor>.entriesPerMessage)
      }
    } write: { entries, cursor in
      try await responses.write(
        ExportLedgerResponse(entries: entries, resumeToken: PageToken.text(cursor)))
    }
  }
}
