import Mockups
import Testing

@Suite struct AdmissionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    /// Of a budget of ten.
    var used: Int64
    var held: Int64
    var asked: Int32
    var isAdmitted: Bool
    var remaining: Int32
    var message: String

    var testDescription: String { "\(asked) of 10 with \(used) used and \(held) held" }
  }

  static let cases = [
    Case(
      used: 0, held: 0, asked: 1, isAdmitted: true, remaining: 9,
      message: "Credits reserved successfully."),
    Case(
      used: 0, held: 0, asked: 10, isAdmitted: true, remaining: 0,
      message: "Credits reserved successfully."),
    Case(
      used: 0, held: 0, asked: 11, isAdmitted: false, remaining: 10,
      message: "Insufficient credits. 10 remaining."),
    Case(
      used: 4, held: 3, asked: 3, isAdmitted: true, remaining: 0,
      message: "Credits reserved successfully."),
    Case(
      used: 4, held: 3, asked: 4, isAdmitted: false, remaining: 3,
      message: "Insufficient credits. 3 remaining."),
    Case(
      used: 10, held: 0, asked: 1, isAdmitted: false, remaining: 0,
      message: "Insufficient credits. 0 remaining."),
    Case(
      used: 8, held: 5, asked: 1, isAdmitted: false, remaining: -3,
      message: "Insufficient credits. -3 remaining."),
    Case(
      used: 6_000_000_000, held: 0, asked: .max, isAdmitted: false, remaining: .min,
      message: "Insufficient credits. -2147483648 remaining."),
    Case(
      used: -6_000_000_000, held: 0, asked: .max, isAdmitted: true, remaining: .max,
      message: "Credits reserved successfully."),
  ]

  @Test(arguments: cases)
  func aReservationIsAdmittedUpToWhatIsAvailable(_ given: Case) {
    let usage = Usage(
      period: Period(year: 2026, month: 5), annualBudget: 10, monthlySoftLimit: 1,
      generation: given.used, held: given.held)
    let admission = Admission(of: given.asked, in: usage)
    #expect(admission.isAdmitted == given.isAdmitted)
    #expect(admission.remaining == given.remaining)
    #expect(admission.message == given.message)
    #expect(admission.usage == (given.isAdmitted ? usage.holding(given.asked) : usage))
  }

  @Test func theSoftLimitDeniesNothing() {
    let usage = Usage(
      period: Period(year: 2026, month: 5), annualBudget: 10, monthlySoftLimit: 1,
      generation: 5, monthlyUsed: 5)
    #expect(usage.softLimitIsPassed)
    #expect(Admission(of: 5, in: usage).isAdmitted)
  }
}
