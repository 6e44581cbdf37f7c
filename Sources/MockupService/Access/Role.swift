/// What somebody is to the service, and so which methods are theirs (``AccessTable``).
public enum Role: String, Sendable, Hashable, CaseIterable {
  /// Spends credits: reserves and settles them, asks for mockups, keeps scenes.
  case service
  /// Generates mockups: claims them and reports what became of them.
  case worker
  /// Puts mockups on pins, and counts those and their impressions.
  case scheduler
  /// May do everything.
  case admin
  /// Looks on.
  case reader
}
