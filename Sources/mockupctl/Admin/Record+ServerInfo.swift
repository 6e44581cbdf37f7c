internal import MockupClient

// The record of the server's information. The names are those of the messages' fields.

extension Record {
  init(_ info: GetServerInfoResponse) {
    self.init([
      "version": .text(info.version),
      "process_id": .number(info.processID),
      "started_at": .time(info.startedAt),
      "now": .time(info.now),
      "schema_version": .number(info.schemaVersion),
      "database_version": .text(info.databaseVersion),
      "open_connections": .number(info.openConnections),
      "calls_in_flight": .number(info.callsInFlight),
      "unresolved_reservations": .number(info.unresolvedReservations),
      "pending_mockups": .number(info.pendingMockups),
    ])
  }
}
