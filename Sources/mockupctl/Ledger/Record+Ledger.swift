internal import MockupClient
internal import VisibleText

// Records of the ledger. The names are those of the messages' fields.

extension Record {
  /// - Parameter ofAllUsers: True if the list has entries of several users.
  init(_ entry: CreditUsageEntry, ofAllUsers: Bool = false) {
    self.init([
      "year": .number(entry.year),
      "month": .number(entry.month),
      "sequence": .number(entry.sequence),
      "operation": .text(entry.operation.name),
      "credits": .number(entry.credits),
      "balance_before": .number(entry.balanceBefore),
      "balance_after": .number(entry.balanceAfter),
      "created_at": .time(entry.createdAt),
      "reservation_id": .optionalText(entry.reservationID),
      "mockup_id": .optionalText(entry.mockupID),
      "late": .flag(entry.late),
      "overrun": .number(entry.overrun),
      "refunded_entry_id": .optionalText(entry.refundedEntryID),
      "entry_id": .text(entry.entryID),
    ])
    if ofAllUsers { fields.insert(("user_id", .text(entry.userID)), at: 0) }
  }

  /// Creates the row of an entry in a table, with the most important fields first.
  ///
  /// - Parameter ofAllUsers: True if the list has entries of several users.
  init(row entry: CreditUsageEntry, ofAllUsers: Bool = false) {
    let month = entry.month < 10 ? "0\(entry.month)" : "\(entry.month)"
    self.init([
      "sequence": .number(entry.sequence),
      "created_at": .time(entry.createdAt?.inSeconds),
      "operation": .text(entry.operation.name),
      "credits": .number(entry.credits),
      "balance_after": .number(entry.balanceAfter),
      "period": .text("\(entry.year)-\(month)"),
      "entry_id": .text(entry.entryID),
      "reservation_id": .optionalText(entry.reservationID),
      "mockup_id": .optionalText(entry.mockupID),
      "balance_before": .number(entry.balanceBefore),
      "late": .flag(entry.late),
      "overrun": .number(entry.overrun),
      "refunded_entry_id": .optionalText(entry.refundedEntryID),
    ])
    if ofAllUsers { fields.insert(("user_id", .text(entry.userID)), at: 0) }
  }

  /// Creates the row of a discrepancy in a table, with its description below.
  init(row discrepancy: Discrepancy) {
    self.init([
      "user_id": .text(discrepancy.userID),
      "year": .number(discrepancy.year),
    ])
    note = .text(discrepancy.description.visible())
  }

  init(_ discrepancy: Discrepancy) {
    self.init([
      "user_id": .text(discrepancy.userID),
      "year": .number(discrepancy.year),
      "description": .text(discrepancy.description),
    ])
  }
}
