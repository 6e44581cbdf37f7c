import MockupCore
import Testing

@Suite struct UsageTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var usage: Usage
    var used: Int64
    var available: Int64
    var remainingAnnual: Int64
    var remainingMonthly: Int64
    var softLimitIsPassed: Bool

    init(
      _ description: String, _ usage: Usage, used: Int64, available: Int64,
      remainingAnnual: Int64, remainingMonthly: Int64, softLimitIsPassed: Bool
    ) {
      testDescription = description
      self.usage = usage
      self.used = used
      self.available = available
      self.remainingAnnual = remainingAnnual
      self.remainingMonthly = remainingMonthly
      self.softLimitIsPassed = softLimitIsPassed
    }
  }

  private static func usage(
    budget: Int32 = 3500, limit: Int32 = 292, generation: Int64 = 0, regeneration: Int64 = 0,
    refund: Int64 = 0, held: Int64 = 0, monthlyUsed: Int64 = 0, monthlyHeld: Int64 = 0
  ) -> Usage {
    Usage(
      period: Period(year: 2026, month: 5), annualBudget: budget, monthlySoftLimit: limit,
      generation: generation, regeneration: regeneration, refund: refund, held: held,
      monthlyUsed: monthlyUsed, monthlyHeld: monthlyHeld)
  }

  static let cases = [
    Case(
      "no usage", usage(),
      used: 0, available: 3500, remainingAnnual: 3500, remainingMonthly: 292,
      softLimitIsPassed: false),
    Case(
      "a regeneration costs credits, and a refund returns them",
      usage(generation: 100, regeneration: 20, refund: 7, monthlyUsed: 113),
      used: 113, available: 3387, remainingAnnual: 3387, remainingMonthly: 179,
      softLimitIsPassed: false),
    Case(
      "held credits are neither used nor available",
      usage(generation: 100, held: 50, monthlyUsed: 100, monthlyHeld: 50),
      used: 100, available: 3350, remainingAnnual: 3350, remainingMonthly: 142,
      softLimitIsPassed: false),
    Case(
      "the soft limit is reached and not exceeded",
      usage(generation: 200, held: 92, monthlyUsed: 200, monthlyHeld: 92),
      used: 200, available: 3208, remainingAnnual: 3208, remainingMonthly: 0,
      softLimitIsPassed: false),
    Case(
      "a held credit exceeds the soft limit",
      usage(generation: 200, held: 93, monthlyUsed: 200, monthlyHeld: 93),
      used: 200, available: 3207, remainingAnnual: 3207, remainingMonthly: 0,
      softLimitIsPassed: true),
    Case(
      "the budget was lowered below the used and held credits",
      usage(budget: 100, generation: 90, held: 30, monthlyUsed: 90, monthlyHeld: 30),
      used: 90, available: -20, remainingAnnual: 0, remainingMonthly: 172,
      softLimitIsPassed: false),
    Case(
      "refunds exceed the spent credits",
      usage(budget: 10, limit: 5, refund: 4, monthlyUsed: -4),
      used: -4, available: 14, remainingAnnual: 14, remainingMonthly: 9,
      softLimitIsPassed: false),
    Case(
      "sums beyond 32 bits",
      usage(
        budget: .max, generation: 6_000_000_000, regeneration: 1, refund: 1, held: 3_000_000_000,
        monthlyUsed: 6_000_000_000, monthlyHeld: 3_000_000_000),
      used: 6_000_000_000, available: -6_852_516_353, remainingAnnual: 0, remainingMonthly: 0,
      softLimitIsPassed: true),
  ]

  @Test(arguments: cases)
  func `used, available and remaining credits follow from the sums`(_ testCase: Case) {
    #expect(testCase.usage.used == testCase.used)
    #expect(testCase.usage.available == testCase.available)
    #expect(testCase.usage.remainingAnnual == testCase.remainingAnnual)
    #expect(testCase.usage.remainingMonthly == testCase.remainingMonthly)
    #expect(testCase.usage.softLimitIsPassed == testCase.softLimitIsPassed)
  }

  @Test func `reserved credits are held in the year and the month`() {
    let before = Self.usage(generation: 10, held: 4, monthlyUsed: 3, monthlyHeld: 2)
    #expect(
      before.holding(5)
        == Self.usage(generation: 10, held: 9, monthlyUsed: 3, monthlyHeld: 7))
  }
}
