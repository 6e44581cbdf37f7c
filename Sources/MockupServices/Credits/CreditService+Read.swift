internal import FoundationEssentials
public import MockupAPI
internal import MockupDatabase
internal import MockupCore
public import TTRPC

extension CreditService {
  /// Returns a reservation.
  public func getReservation(
    _ request: GetReservationRequest, context: ServerContext
  ) async throws -> GetReservationResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let id = try RequestFields.uuid(request.reservationID, "reservation_id")
    let reservation = try await answer(context) { () throws(CreditError) in
      try await store.reservation(id, of: userID)
    }
    return GetReservationResponse(reservation: Reservation(reservation))
  }

  /// Returns the credit usage of a user.
  public func getCreditUsage(
    _ request: GetCreditUsageRequest, context: ServerContext
  ) async throws -> GetCreditUsageResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let year = try RequestFields.year(request.year, "year")
    let month = try RequestFields.month(request.month, "month")
    return GetCreditUsageResponse(
      CreditUsage(
        try await answer(context) { () throws(CreditError) in
          try await store.usage(of: userID, year: year, month: month)
        }))
  }

  /// Returns a page of ledger entries.
  public func listCreditUsage(
    _ request: ListCreditUsageRequest, context: ServerContext
  ) async throws -> ListCreditUsageResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let year = try RequestFields.year(request.year, "year")
    let month = try RequestFields.month(request.month, "month")
    let count = try RequestFields.pageSize(request.pageSize, "page_size")
    let cursor = try PageToken.ledger(request.pageToken, of: userID, "page_token")
    let page = try await answer(context) { () throws(CreditError) in
      try await store.entries(of: userID, year: year, month: month, after: cursor, count: count)
    }
    let (entries, cutAfter) = try limit.page(
      of: page.rows, \.rowName, { CreditUsageEntry($0) })
    let next = cutAfter.map(LedgerCursor.init) ?? page.next
    return ListCreditUsageResponse(
      entries: entries, nextPageToken: next.map { PageToken.text($0, of: userID) } ?? "")
  }

  /// Returns a page of reservations.
  public func listReservations(
    _ request: ListReservationsRequest, context: ServerContext
  ) async throws -> ListReservationsResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let filter = try request.filter()
    let count = try RequestFields.pageSize(request.pageSize, "page_size")
    let cursor = try PageToken.reservation(request.pageToken, of: userID, "page_token")
    let page = try await answer(context) { () throws(CreditError) in
      try await store.reservations(of: userID, where: filter, after: cursor, count: count)
    }
    let (reservations, cutAfter) = try limit.page(
      of: page.rows, { "reservation \($0.id.wireText)" }, { Reservation($0) })
    let next = cutAfter.map(ReservationCursor.init) ?? page.next
    return ListReservationsResponse(
      reservations: reservations,
      nextPageToken: next.map { PageToken.text($0, of: userID) } ?? "")
  }

  /// Streams all ledger entries of a user.
  public func exportCreditUsage(
    _ request: ExportCreditUsageRequest, responses: ResponseWriter<ExportCreditUsageResponse>,
    context: ServerContext
  ) async throws {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let year = try RequestFields.year(request.year, "year")
    let month = try RequestFields.month(request.month, "month")
    let start = try PageToken.export(request.resumeToken, of: userID, "resume_token")
    let export = LedgerExport<LedgerCursor>(limit: limit)
    try await export.run(after: start) { cursor in
      try await answer(context) { () throws(CreditError) in
        try await store.export(
          of: userID, year: year, month: month, after: cursor,
          count: LedgerExport<LedgerCursor>.entriesPerMessage)
      }
    } write: { entries, cursor in
      try await responses.write(
        ExportCreditUsageResponse(
          entries: entries, resumeToken: PageToken.text(export: cursor, of: userID)))
    }
  }
}
