import MockupCore
import Testing

@Suite struct AdmissionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    /// The credits used, of a budget of ten.
    var used: Int64
    var held: Int64
    var requested: Int32
    var isAdmitted: Bool
    var remaining: Int32
    var message: String

    var testDescription: String { "\(requested) credits of 10, with \(used) used and \(held) held" }
  }

  static let cases = [
    Case(
      used: 0, held: 0, requested: 1, isAdmitted: true, remaining: 9,
      message: "Credits reserved successfully."),
    Case(
      used: 0, held: 0, requested: 10, isAdmitted: true, remaining: 0,
      message: "Credits reserved successfully."),
    Case(
      used: 0, held: 0, requested: 11, isAdmitted: false, remaining: 10,
      message: "Insufficient credits. 10 remaining."),
    Case(
      used: 4, held: 3, requested: 3, isAdmitted: true, remaining: 0,
      message: "Credits reserved successfully."),
    Case(
      used: 4, held: 3, requested: 4, isAdmitted: false, remaining: 3,
      message: "Insufficient credits. 3 remaining."),
    Case(
      used: 10, held: 0, requested: 1, isAdmitted: false, remaining: 0,
      message: "Insufficient credits. 0 remaining."),
    Case(
      used: 8, held: 5, requested: 1, isAdmitted: false, remaining: -3,
      message: "Insufficient credits. -3 remaining."),
    Case(
      used: 6_000_000_000, held: 0, requested: .max, isAdmitted: false, remaining: .min,
      message: "Insufficient credits. -2147483648 remaining."),
    Case(
      used: -6_000_000_000, held: 0, requested: .max, isAdmitted: true, remaining: .max,
      message: "Credits reserved successfully."),
  ]

  @Test(arguments: cases)
  func `a reservation is admitted up to the available credits`(_ testCase: Case) {
    let usage = Usage(
      period: Period(year: 2026, month: 5), annualBudget: 10, monthlySoftLimit: 1,
      generation: testCase.used, held: testCase.held)
    let admission = Admission(of: testCase.requested, in: usage)
    #expect(admission.isAdmitted == testCase.isAdmitted)
    #expect(admission.remaining == testCase.remaining)
    #expect(admission.message == testCase.message)
    #expect(admission.usage == (testCase.isAdmitted ? usage.holding(testCase.requested) : usage))
  }

  @Test func `the soft limit denies nothing`() {
    let usage = Usage(
      period: Period(year: 2026, month: 5), annualBudget: 10, monthlySoftLimit: 1,
      generation: 5, monthlyUsed: 5)
    #expect(usage.softLimitIsPassed)
    #expect(Admission(of: 5, in: usage).isAdmitted)
  }
}
