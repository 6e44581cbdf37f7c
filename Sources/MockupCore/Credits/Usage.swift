/// A user's credits at one moment, in a year and in one of its months.
public struct Usage: Sendable, Hashable {
  /// The year and month that the figures are for.
  public var period: Period
  /// The annual budget, a hard limit.
  public var annualBudget: Int32
  /// The monthly soft limit, which produces a warning and never denies a reservation.
  public var monthlySoftLimit: Int32
  /// The credits that the year's ledger entries spent on generations.
  public var generation: Int64
  /// The credits that the year's ledger entries spent on regenerations.
  public var regeneration: Int64
  /// The credits that the year's ledger entries refunded.
  public var refund: Int64
  /// The credits that the year's open reservations hold.
  public var held: Int64
  /// The credits that the month's ledger entries spent, minus its refunds.
  public var monthlyUsed: Int64
  /// The credits that the month's open reservations hold.
  public var monthlyHeld: Int64

  /// Creates a usage from its figures.
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

  /// The credits that the year's ledger entries spent, minus its refunds.
  public var used: Int64 { generation + regeneration - refund }

  /// The credits that a new reservation can take: the annual budget minus the used and held
  /// credits.
  ///
  /// It is negative if the budget was lowered below what is used and held already.
  public var available: Int64 { Int64(annualBudget) - used - held }

  /// ``available``, or 0 if it is negative.
  public var remainingAnnual: Int64 { max(available, 0) }

  /// The monthly soft limit minus the month's used and held credits, or 0 if that is negative.
  public var remainingMonthly: Int64 { max(Int64(monthlySoftLimit) - monthlyUsed - monthlyHeld, 0) }

  /// A Boolean value that indicates whether the month's used and held credits exceed its soft
  /// limit.
  public var softLimitIsPassed: Bool { monthlyUsed + monthlyHeld > Int64(monthlySoftLimit) }

  /// Returns a Boolean value that indicates whether a reservation of `credits` would be admitted.
  public func admits(_ credits: Int32) -> Bool { Int64(credits) <= available }

  /// Returns this usage with more credits held.
  public func holding(_ credits: Int32) -> Usage {
    var usage = self
    usage.held += Int64(credits)
    usage.monthlyHeld += Int64(credits)
    return usage
  }
}
