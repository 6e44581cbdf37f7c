import FoundationEssentials
import MockupStore
import Mockups
import TestSupport
import Testing

/// Random calls, with a clock moved by hand, are answered as the model answers them.
///
/// Repeat a failure with `MOCKUPD_TEST_SEED=<seed> swift test`.
@Suite struct ModelTests {
  @Test(arguments: 0..<6 as Range<UInt64>)
  func theBooksAnswerAsTheModelDoes(number: UInt64) async throws {
    let rerun: Comment = "\(TestSeed.variable)=\(TestSeed.value), sequence \(number)"
    try await Books.with(at: "2025-12-31T23:58:00Z") { books in
      var walk = ModelWalk(books: books, random: SplitMix64(state: TestSeed.value &+ number))
      for _ in 0..<2 { try await walk.addUser(budget: 12) }
      for step in 0..<120 {
        let (asked, answers, expected) = try await walk.step()
        guard answers == expected else {
          Issue.record("step \(step), \(asked): \(answers), not \(expected); \(rerun)")
          return
        }
      }
      for (userID, year) in walk.years {
        let usage = try await books.store.usage(of: userID, year: year)
        #expect(usage.available == walk.model.available(userID, year), rerun)
      }
      for (id, hold) in walk.model.holds {
        let reservation = try await books.store.reservation(id, of: hold.request.userID)
        #expect(reservation.state == hold.state, rerun)
        #expect(reservation.held == hold.held, rerun)
        #expect(reservation.committed == hold.committed, rerun)
        #expect(reservation.expiresAt == hold.expiresAt, rerun)
      }
    }
  }
}

/// Chooses calls, and makes them of both.
struct ModelWalk {
  let books: Books
  var random: SplitMix64
  var model: ModelBooks
  private var users: [UUID] = []
  private var requests: [ReservationRequest] = []
  private var refunds: [UUID] = []
  private var groups: [UUID] = []

  init(books: Books, random: SplitMix64) {
    self.books = books
    self.random = random
    model = ModelBooks(now: books.clock.now)
    groups = [UUID(using: &self.random), UUID(using: &self.random)]
  }

  var years: [(UUID, Int32)] { users.map { ($0, 2025) } + users.map { ($0, 2026) } }

  mutating func addUser(budget: Int64) async throws {
    let user = try await books.database.makeUser(
      UUID(using: &random), annualBudget: Int(budget))
    users.append(user)
    model.budgets[user] = budget
  }

  /// - Returns: What was asked, and what was answered by the books and by the model.
  mutating func step() async throws -> (asked: String, answers: [String], expected: [String]) {
    let seconds = Int64(choice(4) == 0 ? choice(30) : 0)
    books.clock.advance(by: seconds)
    model.advance(by: seconds)
    switch choice(12) {
    case 0..<4: return try await reserve()
    case 4..<9: return try await settle()
    case 9: return try await releaseGroup()
    case 10: return try await refund()
    default: return try await setBudget()
    }
  }

  private mutating func choice(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

  private mutating func one<Element>(of elements: [Element]) -> Element? {
    elements.randomElement(using: &random)
  }

  private mutating func request() throws -> ReservationRequest {
    // Now and then one that was sent before, or is much like it.
    if choice(5) == 0, let first = one(of: requests) {
      let alters = choice(3) == 0
      return try ReservationRequest(
        userID: first.userID, id: first.id, credits: first.credits + (alters ? 1 : 0),
        operation: first.operation, timeToLive: first.timeToLive, groupID: first.groupID,
        mode: alters || choice(8) > 0 ? first.mode : .bestEffort)
    }
    let request = try ReservationRequest(
      userID: users[choice(users.count)], id: UUID(using: &random),
      credits: Int32(1 + choice(6)), operation: choice(2) == 0 ? .generation : .regeneration,
      timeToLive: .seconds(1 + choice(90)), groupID: choice(3) == 0 ? one(of: groups) : nil,
      mode: choice(3) == 0 ? .bestEffort : .normal)
    requests.append(request)
    return request
  }

  private mutating func reserve() async throws -> (String, [String], [String]) {
    var batch: [ReservationRequest] = []
    for _ in 0...choice(3) { batch.append(try request()) }
    let allOrNothing = choice(4) == 0
    let answers = try await books.store.reserve(batch, allOrNothing: allOrNothing)
    var model = model
    let expected = batch.map { model.reserve($0) }
    let all = decide(model, expected, allOrNothing) { $0.contains("admitted") }
    return ("\(batch)", answers.map { summary(of: $0) }, all)
  }

  private mutating func settlement() -> Settlement? {
    // More often one of the last.
    guard let request = one(of: choice(3) == 0 ? requests : requests.suffix(6)) else { return nil }
    let action: Settlement.Action
    switch choice(8) {
    case 0: action = .release
    case 1: action = .dispatch(timeToLive: choice(2) == 0 ? nil : .seconds(1 + choice(60)))
    case 2: action = .extend(timeToLive: .seconds(1 + choice(60)))
    default:
      let credits: [Int32?] = [nil, 0, 1, 1, 2, 3, 5]
      action = .commit(
        // Of few ids, so that they meet again.
        id: groups[choice(2)], credits: credits[choice(credits.count)],
        isFinal: choice(2) == 0, allowsOverrun: choice(3) == 0)
    }
    return Settlement(userID: request.userID, reservationID: request.id, action: action)
  }

  private mutating func settle() async throws -> (String, [String], [String]) {
    var batch: [Settlement] = []
    for _ in 0...choice(4) { if let settlement = settlement() { batch.append(settlement) } }
    let allOrNothing = choice(4) == 0
    let answers = try await books.store.settle(batch, allOrNothing: allOrNothing)
    var model = model
    let expected = batch.map { model.settle($0) }
    let all = decide(model, expected, allOrNothing) { !ModelBooks.isFailure($0) }
    return ("\(batch)", answers.map { summary(of: $0) }, all)
  }

  /// Takes what a batch has made of the model, unless it was to be all or nothing, and was not all.
  private mutating func decide(
    _ changed: ModelBooks, _ answers: [String], _ allOrNothing: Bool,
    _ isDone: (String) -> Bool
  ) -> [String] {
    guard allOrNothing, !answers.allSatisfy(isDone) else {
      model = changed
      return answers
    }
    return answers.map { isDone($0) ? "batch failed" : $0 }
  }

  private mutating func releaseGroup() async throws -> (String, [String], [String]) {
    let (group, user) = (groups[choice(2)], users[choice(users.count)])
    let answer = try await summary { try await books.store.releaseGroup(group, of: user) }
    return ("release of group \(group)", [answer], [model.releaseGroup(group, of: user)])
  }

  private mutating func refund() async throws -> (String, [String], [String]) {
    guard !model.ledger.isEmpty else { return ("nothing", [], []) }
    let index = choice(model.ledger.count)
    let charge = model.ledger[index]
    // The books' entry of the same place among those of its user and year.
    let place = model.ledger.prefix(index).count {
      $0.userID == charge.userID && $0.year == charge.year
    }
    let entries = try await books.store.export(
      of: charge.userID, year: charge.year, after: nil, count: 1000)
    let id = choice(4) == 0 ? one(of: refunds) : nil
    let credits: [Int32?] = [nil, 1, 1, 2, 4]
    let refund = Refund(
      userID: charge.userID, id: id ?? UUID(using: &random), entryID: entries[place].id,
      credits: credits[choice(credits.count)])
    if id == nil { refunds.append(refund.id) }
    // An id of another user's is nobody's here.
    if let sent = model.refunds[refund.id], sent.refund.userID != refund.userID {
      return ("nothing", [], [])
    }
    let answer = try await summary { try await books.store.refund(refund) }
    return ("\(refund)", [answer], [model.refund(refund, ofCharge: index)])
  }

  private mutating func setBudget() async throws -> (String, [String], [String]) {
    let (user, budget) = (users[choice(users.count)], Int64(6 + choice(20)))
    try await books.setGuardrails(#"{"annual_mockup_budget": \#(budget)}"#, of: user)
    model.budgets[user] = budget
    return ("a budget of \(budget)", [], [])
  }
}
