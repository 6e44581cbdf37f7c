/// The operation of a ledger entry or a reservation.
///
/// The raw values are those of the column `operation` in the database.
public enum Operation: String, Sendable, Hashable, CaseIterable {
  /// Credits are spent on a mockup's first picture.
  case generation
  /// Credits are spent on another picture for a mockup.
  case regeneration
  /// Credits of an earlier charge are given back.
  case refund
}
