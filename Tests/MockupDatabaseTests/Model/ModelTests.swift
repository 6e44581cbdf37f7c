import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// Random calls of the store, on a manual clock, get the answers of the model.
///
/// `MOCKUPD_TEST_SEED=<seed> swift test` repeats a failed run. With `MOCKUPD_TEST_PARTITIONS`, the
/// users of each sequence belong to several partitions, and so do most batches.
@Suite struct ModelTests {
  private static let isPartitioned = MigratedDatabase.partitionCount > 1

  @Test func `random calls get the answers of the model`() async throws {
    let counts = try await withThrowingTaskGroup(of: [String: Int].self) { group in
      // The sequences of partitions need not meet each rule, since the rules are the same.
      for number in 0..<(Self.isPartitioned ? 4 : 24) as Range<UInt64> {
        group.addTask { try await Self.answers(ofSequence: number) }
      }
      return try await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    }
    // A rule is tested only if some calls get its answer.
    for answer in Self.isPartitioned ? ModelWalk.divisions : Self.answers {
      #expect(
        counts[answer, default: 0] >= 4, "\(answer); \(TestSeed.variable)=\(TestSeed.value)")
    }
  }

  private static let answers: [String] = {
    let answers: [(call: String, answers: [String])] = [
      (
        "reserve",
        [
          "admitted", "refused", "replayed admitted", "replayed refused", "unknown mockup",
          "conflict in credits", "conflict in operation", "conflict in time_to_live",
          "conflict in mockup_id", "conflict in group_id", "conflict in mode", "batch failed",
        ]
      ),
      ("reserve, again in its batch", ["replayed admitted", "conflict in credits"]),
      (
        "settle",
        [
          "held", "dispatched", "committed", "committed overrun", "released",
          "late committed", "late committed overrun", "late expired", "late unresolved",
          "replayed held", "replayed dispatched", "replayed committed", "replayed released",
          "replayed late committed", "not open but refused", "not open but expired",
          "not open but committed", "not open but released", "more than", "insufficient",
          "conflict in credits", "conflict in final", "conflict in allow_overrun", "batch failed",
        ]
      ),
      (
        "settle, again in its batch", ["committed", "replayed committed", "not open but committed"]
      ),
      ("settle, of last year", ["committed", "late committed", "released", "insufficient"]),
      ("release of a group", ["released of", "replayed released of"]),
      (
        "refund",
        [
          "refunded", "replayed refunded", "more than was charged", "not a charge",
          "conflict in credits", "conflict in entry_id",
        ]
      ),
    ]
    return answers.flatMap { call, answers in answers.map { "\(call): \($0)" } }
  }()

  /// Makes the calls of one sequence, and counts the answers by kind.
  private static func answers(ofSequence number: UInt64) async throws -> [String: Int] {
    let seedComment: Comment = "\(TestSeed.variable)=\(TestSeed.value), sequence \(number)"
    var counts: [String: Int] = [:]
    try await LedgerFixture.with(at: "2025-12-31T23:52:00Z") { ledger in
      var walk = ModelWalk(ledger: ledger, random: SplitMix64(state: TestSeed.value &+ number))
      for budget in [12, 60, 400] as [Int64] { try await walk.addUser(budget: budget) }
      for step in 0..<300 {
        let (asked, answers, expected) = try await walk.step()
        guard answers == expected else {
          Issue.record(
            "step \(step), \(asked): got \(answers), expected \(expected); \(seedComment)")
          return
        }
      }
      counts = walk.counts
      for (userID, year) in walk.years {
        let usage = try await ledger.store.usage(of: userID, year: year)
        #expect(usage.available == walk.model.available(userID, year), seedComment)
      }
      for (id, hold) in walk.model.holds {
        let reservation = try await ledger.store.reservation(id, of: hold.request.userID)
        #expect(reservation.state == hold.state, seedComment)
        #expect(reservation.held == hold.held, seedComment)
        #expect(reservation.committed == hold.committed, seedComment)
        #expect(reservation.expiresAt == hold.expiresAt, seedComment)
      }
    }
    return counts
  }
}

/// A random sequence of calls, each of which is made to the store and to the model.
struct ModelWalk {
  let ledger: LedgerFixture
  var random: SplitMix64
  var model: ModelLedger
  /// The number of the store's answers by kind: the call, and the answer without its figures.
  private(set) var counts: [String: Int] = [:]
  /// The kinds of ``counts`` for batches of users of several partitions.
  static let divisions = ["made in parts", "refused"].map { "batch of several partitions: \($0)" }

  private var users: [UUID] = []
  private var mockups: [UUID] = []
  private var requests: [ReservationRequest] = []
  private var commits: [Settlement] = []
  private var refunds: [(refund: Refund, charge: Int)] = []
  private var budgets: [UUID: Int64] = [:]
  private var groups: [UUID] = []

  init(ledger: LedgerFixture, random: SplitMix64) {
    self.ledger = ledger
    self.random = random
    model = ModelLedger(now: ledger.clock.now)
    groups = [UUID(using: &self.random), UUID(using: &self.random)]
  }

  var years: [(UUID, Int32)] { users.map { ($0, 2025) } + users.map { ($0, 2026) } }

  mutating func addUser(budget: Int64) async throws {
    let user = try await ledger.database.makeUser(
      ledger.database.id(inPartition: users.count, from: UUID(using: &random)),
      annualBudget: Int(budget))
    users.append(user)
    budgets[user] = budget
    model.budgets[user] = budget
    let mockup = try await ledger.mockup(of: user)
    mockups.append(mockup)
    model.mockups[mockup] = user
  }

  /// Makes one random call.
  ///
  /// - Returns: The call, the answers of the store and the answers of the model.
  mutating func step() async throws -> (asked: String, answers: [String], expected: [String]) {
    let seconds = Int64(choice(4) == 0 ? choice(30) : 0)
    ledger.clock.advance(by: seconds)
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

  private mutating func count(_ answer: String, of call: String) {
    let words = answer.prefix { $0 != "," }.split(separator: " ")
      .filter { !$0.contains(where: \.isNumber) }
      .map { $0.filter { !"()".contains($0) } }
    counts["\(call): \(words.joined(separator: " "))", default: 0] += 1
  }

  private mutating func request(after batch: [ReservationRequest]) throws -> ReservationRequest {
    // Sometimes a retried request, or one that differs in a field.
    if choice(4) == 0, let first = one(of: choice(2) == 0 ? batch : requests) {
      let altered = choice(3) == 0 ? choice(6) : nil
      return try ReservationRequest(
        userID: first.userID, id: first.id, credits: first.credits + (altered == 0 ? 1 : 0),
        operation: altered == 1
          ? (first.operation == .generation ? .regeneration : .generation) : first.operation,
        timeToLive: first.timeToLive + (altered == 2 ? .seconds(1) : .zero),
        mockupID: altered == 3 ? UUID(using: &random) : first.mockupID,
        groupID: altered == 4 ? UUID(using: &random) : first.groupID,
        mode: altered == 5 ? (first.mode == .normal ? .bestEffort : .normal) : first.mode)
    }
    return try ReservationRequest(
      userID: users[choice(users.count)], id: UUID(using: &random),
      credits: Int32(1 + choice(6)), operation: choice(2) == 0 ? .generation : .regeneration,
      timeToLive: .seconds(1 + choice(200)), mockupID: choice(6) == 0 ? one(of: mockups) : nil,
      groupID: choice(3) == 0 ? one(of: groups) : nil,
      mode: choice(3) == 0 ? .bestEffort : .normal)
  }

  /// Returns a random batch size: mostly small, sometimes larger than a user's budget.
  private mutating func size() -> Int { 1 + choice(choice(4) == 0 ? 24 : 4) }

  private mutating func reserve() async throws -> (String, [String], [String]) {
    var batch: [ReservationRequest] = []
    for _ in 0..<size() { batch.append(try request(after: batch)) }
    requests += batch
    let allOrNothing = choice(4) == 0
    if try await isRefused(
      batch.map(\.userID), allOrNothing,
      { [ledger] in _ = try await ledger.store.reserve(batch, allOrNothing: true) })
    {
      return ("\(batch)", [], [])
    }
    let answers = try await ledger.store.reserve(batch, allOrNothing: allOrNothing)
    var model = model
    let expected = batch.map { model.reserve($0) }
    let all = decide(model, expected, allOrNothing) { $0.contains("admitted") }
    var ids: Set<UUID> = []
    for (request, answer) in zip(batch, all) {
      count(answer, of: "reserve")
      if !ids.insert(request.id).inserted { count(answer, of: "reserve, again in its batch") }
    }
    return ("\(batch)", answers.map { summary(of: $0) }, all)
  }

  private mutating func settlement(after batch: [Settlement]) -> Settlement? {
    // Sometimes a retried commit, or one that differs in a field.
    if choice(4) == 0, let first = one(of: choice(3) == 0 ? batch : commits.suffix(20)),
      case .commit(let commit) = first.action
    {
      let altered = choice(2) == 0 ? choice(3) : nil
      return Settlement(
        userID: first.userID, reservationID: first.reservationID,
        action: .commit(
          id: commit.id, credits: altered == 0 ? (commit.credits ?? 0) + 1 : commit.credits,
          isFinal: commit.isFinal != (altered == 1),
          allowsOverrun: commit.allowsOverrun != (altered == 2)))
    }
    guard let request = one(of: choice(2) == 0 ? requests.suffix(12) : unsettled()) else {
      return nil
    }
    let action: Settlement.Action
    switch choice(8) {
    case 0: action = .release
    case 1: action = .dispatch(timeToLive: choice(2) == 0 ? nil : .seconds(1 + choice(60)))
    case 2: action = .extend(timeToLive: .seconds(1 + choice(60)))
    default:
      let credits: [Int32?] = [nil, nil, 0, 1, 1, 2, 3, 5, 30]
      action = .commit(
        // There are few commit ids, so that they repeat.
        id: groups[choice(2)], credits: credits[choice(credits.count)],
        isFinal: choice(2) == 0, allowsOverrun: choice(3) == 0)
    }
    let settlement = Settlement(
      userID: request.userID, reservationID: request.id, action: action)
    if case .commit = action { commits.append(settlement) }
    return settlement
  }

  /// The reservations that can still be settled.
  private func unsettled() -> [ReservationRequest] {
    requests.filter { request in
      model.holds[request.id].map { $0.state.isOpen || $0.state == .expired } ?? false
    }
  }

  private mutating func settle() async throws -> (String, [String], [String]) {
    var batch: [Settlement] = []
    for _ in 0..<size() {
      if let settlement = settlement(after: batch) { batch.append(settlement) }
    }
    let allOrNothing = choice(4) == 0
    if try await isRefused(
      batch.map(\.userID), allOrNothing,
      { [ledger] in _ = try await ledger.store.settle(batch, allOrNothing: true) })
    {
      return ("\(batch)", [], [])
    }
    let answers = try await ledger.store.settle(batch, allOrNothing: allOrNothing)
    var model = model
    let expected = batch.map { model.settle($0) }
    let all = decide(model, expected, allOrNothing) { !ModelLedger.isFailure($0) }
    var ids: Set<UUID> = []
    for (settlement, answer) in zip(batch, all) {
      count(answer, of: "settle")
      if !ids.insert(settlement.reservationID).inserted {
        count(answer, of: "settle, again in its batch")
      }
      if let hold = model.holds[settlement.reservationID], hold.year < model.year {
        count(answer, of: "settle, of last year")
      }
    }
    return ("\(batch)", answers.map { summary(of: $0) }, all)
  }

  /// Returns true if a batch is refused: an all-or-nothing batch of users of several partitions.
  ///
  /// - Parameter make: Makes the all-or-nothing batch.
  private mutating func isRefused(
    _ users: [UUID], _ allOrNothing: Bool, _ make: () async throws -> Void
  ) async throws -> Bool {
    guard Set(users.map(ledger.database.partition(of:))).count > 1 else { return false }
    count(allOrNothing ? "refused" : "made in parts", of: "batch of several partitions")
    guard allOrNothing else { return false }
    let error = await #expect(throws: PostgresError.self) { try await make() }
    #expect(error?.spansPartitions == true)
    return true
  }

  /// Applies a batch to the model, unless it is an all-or-nothing batch that failed.
  private mutating func decide(
    _ changed: ModelLedger, _ answers: [String], _ allOrNothing: Bool,
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
    let answer = try await summary { try await ledger.store.releaseGroup(group, of: user) }
    count(answer, of: "release of a group")
    return ("release of group \(group)", [answer], [model.releaseGroup(group, of: user)])
  }

  private mutating func refund() async throws -> (String, [String], [String]) {
    guard !model.ledger.isEmpty else { return ("nothing", [], []) }
    var index = choice(model.ledger.count)
    let charge = model.ledger[index]
    // The store's entry at the same position among those of its user and year.
    let position = model.ledger.prefix(index).count {
      $0.userID == charge.userID && $0.year == charge.year
    }
    let entries = try await ledger.store.export(
      of: charge.userID, year: charge.year, after: nil, count: 1000)
    let credits: [Int32?] = [nil, 1, 1, 2, 4]
    var refund = Refund(
      userID: charge.userID, id: UUID(using: &random), entryID: entries[position].id,
      credits: credits[choice(credits.count)])
    // Sometimes a retried request, or one that differs in a field.
    if choice(2) == 0, let first = one(of: refunds.filter { $0.refund.userID == refund.userID }) {
      switch choice(4) {
      case 0:
        refund = Refund(
          userID: refund.userID, id: first.refund.id, entryID: refund.entryID,
          credits: first.refund.credits)
      case 1:
        refund = Refund(
          userID: refund.userID, id: first.refund.id, entryID: first.refund.entryID,
          credits: (first.refund.credits ?? 0) + 1)
        index = first.charge
      default:
        (refund, index) = first
      }
    }
    refunds.append((refund, index))
    let answer = try await summary { try await ledger.store.refund(refund) }
    count(answer, of: "refund")
    return ("\(refund)", [answer], [model.refund(refund, ofCharge: index)])
  }

  private mutating func setBudget() async throws -> (String, [String], [String]) {
    let user = users[choice(users.count)]
    let budget = budgets[user, default: 0] * Int64(50 + choice(150)) / 100
    try await ledger.setGuardrails(#"{"annual_mockup_budget": \#(budget)}"#, of: user)
    model.budgets[user] = budget
    return ("a budget of \(budget)", [], [])
  }
}
