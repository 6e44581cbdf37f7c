import FoundationEssentials
import MockupCore
import Testing

@Suite struct ReservationRequestTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var credits: Int32 = 1
    var operation = Operation.generation
    var timeToLive: Duration = .seconds(60)
    var violation: ReservationRequest.Violation?

    var testDescription: String {
      "\(credits) credits for a \(operation), time to live \(timeToLive)"
    }
  }

  static let cases = [
    Case(credits: 1),
    Case(credits: .max),
    Case(credits: 0, violation: .creditsBelowOne),
    Case(credits: -1, violation: .creditsBelowOne),
    Case(credits: .min, violation: .creditsBelowOne),
    Case(operation: .regeneration),
    Case(operation: .refund, violation: .operationReservesNothing),
    Case(timeToLive: .seconds(1)),
    Case(timeToLive: .seconds(86_400)),
    Case(timeToLive: .seconds(86_401), violation: .timeToLiveOutOfRange),
    Case(timeToLive: .zero, violation: .timeToLiveOutOfRange),
    Case(timeToLive: .seconds(-1), violation: .timeToLiveOutOfRange),
    Case(timeToLive: .milliseconds(1500), violation: .timeToLiveOutOfRange),
    Case(timeToLive: .seconds(1) - .nanoseconds(1), violation: .timeToLiveOutOfRange),
    Case(timeToLive: .seconds(Int64.max), violation: .timeToLiveOutOfRange),
    Case(
      credits: 0, operation: .refund, timeToLive: .zero, violation: .creditsBelowOne),
  ]

  @Test(arguments: cases)
  func `a request outside the limits is refused`(_ testCase: Case) {
    var violation: ReservationRequest.Violation?
    do {
      _ = try ReservationRequest(
        userID: UUID(), id: UUID(), credits: testCase.credits, operation: testCase.operation,
        timeToLive: testCase.timeToLive)
    } catch {
      violation = error
    }
    #expect(violation == testCase.violation)
  }

  @Test func `the defaults are a generation and a time to live of 15 minutes`() throws {
    let request = try ReservationRequest(userID: UUID(), id: UUID(), credits: 3)
    #expect(request.operation == .generation)
    #expect(request.timeToLive == .seconds(15 * 60))
    #expect(request.mockupID == nil)
  }
}
