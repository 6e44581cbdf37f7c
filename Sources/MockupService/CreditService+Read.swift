internal import FoundationEssentials
internal import MockupAPI
internal import MockupStore
internal import Mockups
internal import TTRPC

extension CreditService {
  /// How many entries a piece of an export has at most.
  private static let exportedAtOnce: Int32 = 500

  func getReservation(
    _ request: GetReservationRequest, context: ServerContext
  ) async throws -> GetReservationResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let id = try RequestFields.uuid(request.reservationID, "reservation_id")
    let reservation = try await answer(context) { () throws(CreditError) in
      try await store.reservation(id, of: userID)
    }
    return GetReservationResponse(reservation: Reservation(reservation))
  }

  func getCreditUsage(
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

  func listCreditUsage(
    _ request: ListCreditUsageRequest, context: ServerContext
  ) async throws -> ListCreditUsageResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let year = try RequestFields.year(request.year, "year")
    let month = try RequestFields.month(request.month, "month")
    let count = try RequestFields.pageSize(request.pageSize, "page_size")
    let cursor = try PageToken.cursor(request.pageToken, "page_token")
    let page = try await answer(context) { () throws(CreditError) in
      try await store.entries(of: userID, year: year, month: month, after: cursor, count: count)
    }
    return ListCreditUsageResponse(
      entries: page.entries.map { CreditUsageEntry($0) },
      nextPageToken: page.next.map(PageToken.text) ?? "")
  }

  func listReservations(
    _ request: ListReservationsRequest, context: ServerContext
  ) async throws -> ListReservationsResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let filter = try request.filter()
    let count = try RequestFields.pageSize(request.pageSize, "page_size")
    let cursor = try PageToken.reservation(request.pageToken, "page_token")
    let page = try await answer(context) { () throws(CreditError) in
      try await store.reservations(of: userID, where: filter, after: cursor, count: count)
    }
    return ListReservationsResponse(
      reservations: page.reservations.map { Reservation($0) },
      nextPageToken: page.next.map(PageToken.text) ?? "")
  }

  func exportCreditUsage(
    _ request: ExportCreditUsageRequest, responses: ResponseWriter<ExportCreditUsageResponse>,
    context: ServerContext
  ) async throws {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let year = try RequestFields.year(request.year, "year")
    var cursor = try PageToken.cursor(request.resumeToken, "resume_token")
    while true {
      let entries = try await answer(context) { () throws(CreditError) in
        try await store.export(of: userID, year: year, after: cursor, count: Self.exportedAtOnce)
      }
      guard let last = entries.last else { return }
      let next = LedgerPage.Cursor(year: last.period.year, sequence: last.sequence)
      try await responses.write(
        ExportCreditUsageResponse(
          entries: entries.map { CreditUsageEntry($0) }, resumeToken: PageToken.text(next)))
      cursor = next
    }
  }
}
