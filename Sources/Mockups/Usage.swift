/// A user's credits at one moment, in a year and one of its months.
public struct Usage: Sendable, Hashable {
  public var period: Period
  /// The year's hard budget.
  public var annualBudget: Int32
  /// The month's soft limit: passing it warns, and never denies.
  public var monthlySoftLimit: Int32
  /// Sums of the year's ledger by operation.
  public var generation: Int64
  public var regeneration: Int64
  public var refund: Int64
  /// What the year's open reservations hold.
  public var held: Int64
  /// What the month's ledger comes to, refunds subtracted.
  public var monthlyUsed: Int64
  /// What the month's open reservations hold.
  public var monthlyHeld: Int64

  public init(
    period: Period, annualBudget: Int32, monthlySoftLimit: Int32, generation: Int64 = 0,
    regeneration: Int64 = 0, refund: Int64 = 0, held: Int64 = 0, monthlyUsed: Int64 = 0,
    monthlyHeld: Int64 = 0
  ) {
    self.period = period
    self.annualBudget = annualBudget
    self.monthlySoftLimit = monthlySoftLimit
    self.generation = generation
    self.regeneration = regeneration
    self.refund = refund
    self.held = held
    self.monthlyUsed = monthlyUsed
    self.monthlyHeld = monthlyHeld
  }

  /// What the year has spent, refunds subtracted.
  public var used: Int64 { generation + regeneration - refund }

  /// What a new reservation may take. Negative where the budget was lowered below what is spent or
  /// set aside already.
  public var available: Int64 { Int64(annualBudget) - used - held }

  /// ``available``, and 0 where that is negative.
  public var remainingAnnual: Int64 { max(available, 0) }

  /// What the month has left of its soft limit, and 0 where that is negative.
  public var remainingMonthly: Int64 { max(Int64(monthlySoftLimit) - monthlyUsed - monthlyHeld, 0) }

  /// Whether the month has used and holds more than its soft limit.
  public var softLimitIsPassed: Bool { monthlyUsed + monthlyHeld > Int64(monthlySoftLimit) }

  /// Whether a reservation of so many credits would be admitted.
  public func admits(_ credits: Int32) -> Bool { Int64(credits) <= available }

  /// These credits with some more of them set aside.
  public func holding(_ credits: Int32) -> Usage {
    var usage = self
    usage.held += Int64(credits)
    usage.monthlyHeld += Int64(credits)
    return usage
  }
}
