internal import ArgumentParser
internal import MockupClient

struct Stuck: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the unresolved reservations of all users, the oldest first.",
    discussion: """
      Each reservation was dispatched to the vendor and never settled, so that its credits stay \
      held. Below each row is the command that resolves it: replace N by the number of credits \
      that the vendor's invoice shows, 0 if none. Requires the role admin or reader.
      """)

  @Option(
    parsing: .unconditional, help: "The maximum number of reservations; 0 lists all. (default: 0)",
    transform: Int.atLeast(0))
  var limit = 0

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.write(
        client.admin.unresolvedReservations(), limit: limit, { Record($0) },
        row: { Record(row: $0) })
    }
  }
}

extension UnresolvedReservation {
  fileprivate var resolveCommand: String {
    let reservation = reservation ?? Reservation()
    return "mockupctl reservations resolve \(reservation.userID) \(reservation.reservationID)"
      + " --credits N"
  }
}

extension Record {
  /// Creates the record of an unresolved reservation, with the command that resolves it.
  init(_ unresolved: UnresolvedReservation) {
    let reservation = unresolved.reservation ?? Reservation()
    self.init([
      "unresolved_since": .time(unresolved.unresolvedSince),
      "held": .number(reservation.held),
      "user_id": .text(reservation.userID),
      "user_label": .optionalText(unresolved.userLabel),
      "reservation_id": .text(reservation.reservationID),
      "mockup_id": .optionalText(reservation.mockupID),
      "operation": .text(reservation.operation.name),
      "committed": .number(reservation.committed),
      "year": .number(reservation.year),
      "month": .number(reservation.month),
      "dispatched_at": .time(reservation.dispatchedAt),
      "resolve_command": .text(unresolved.resolveCommand),
    ])
  }

  /// Creates the row of an unresolved reservation in a table, with the command below it.
  fileprivate init(row unresolved: UnresolvedReservation) {
    let reservation = unresolved.reservation ?? Reservation()
    self.init([
      "unresolved_since": .time(unresolved.unresolvedSince?.inSeconds),
      "held": .number(reservation.held),
      "user_label": .optionalText(unresolved.userLabel),
      "mockup_id": .optionalText(reservation.mockupID),
    ])
    note = .command(unresolved.resolveCommand)
  }
}
