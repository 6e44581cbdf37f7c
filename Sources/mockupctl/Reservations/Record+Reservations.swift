internal import MockupClient

// Records of reservations. The names are those of the messages' fields.

extension Record {
  init(_ reservation: Reservation) {
    self.init([
      "reservation_id": .text(reservation.reservationID),
      "user_id": .text(reservation.userID),
      "state": .text(reservation.state.name),
      "operation": .text(reservation.operation.name),
      "credits": .number(reservation.credits),
      "granted": .number(reservation.granted),
      "held": .number(reservation.held),
      "committed": .number(reservation.committed),
      "overrun": .number(reservation.overrun),
      "year": .number(reservation.year),
      "month": .number(reservation.month),
      "created_at": .time(reservation.createdAt),
      "expires_at": .time(reservation.expiresAt),
      "dispatched_at": .time(reservation.dispatchedAt),
      "settled_at": .time(reservation.settledAt),
      "mockup_id": .optionalText(reservation.mockupID),
      "group_id": .optionalText(reservation.groupID),
      "commit_id": .optionalText(reservation.commitID),
      "late": .flag(reservation.late),
    ])
  }

  /// Creates the row of a reservation in a table, with the most important fields first.
  init(row reservation: Reservation) {
    self.init([
      "reservation_id": .text(reservation.reservationID),
      "state": .text(reservation.state.name),
      "granted": .number(reservation.granted),
      "created_at": .time(reservation.createdAt?.inSeconds),
      "held": .number(reservation.held),
      "committed": .number(reservation.committed),
      "expires_at": .time(reservation.expiresAt?.inSeconds),
    ])
  }
}
