/// What credits are spent on, or given back for; raw values are the ledger's words.
public enum Operation: String, Sendable, Hashable, CaseIterable {
  case generation
  case regeneration
  case refund
}
