public import Foundation
public import MockupDatabase
public import MockupCore

/// A call of the ledger for one user.
public enum LedgerCall: Sendable, Hashable {
  /// Reserves credits, in a batch.
  case reserve([ReservationRequest], allOrNothing: Bool)
  /// Checks whether credits are available.
  case check(credits: Int32)
  /// Dispatches, commits, releases or extends reservations, in a batch.
  case settle([Settlement], allOrNothing: Bool)
  /// Releases the open reservations of a group.
  case releaseGroup(UUID)
  /// Refunds the ledger entry at an index, from 0, whose id was read before.
  case refund(id: UUID, place: Int, entryID: UUID, credits: Int32?)
  /// Sets the annual budget.
  case setBudget(Int64)
  /// Reads the usage of the current year.
  case usage
  /// Reads a reservation.
  case reservation(UUID)
  /// Lists all reservations.
  case reservations
  /// Lists all entries of the ledger.
  case entries
  /// Advances the time, while no call is in flight.
  case advance(seconds: Int64)
}

extension ModelLedger {
  /// Makes a call for a user, and returns the answer of each of its items.
  public mutating func answer(_ call: LedgerCall, of userID: UUID) -> [String] {
    switch call {
    case .reserve(let requests, let allOrNothing):
      return decide(allOrNothing, isDone: { $0.contains("admitted") }) { model in
        requests.map { model.reserve($0) }
      }
    case .check(let credits):
      let available = available(userID, year)
      return ["\(Int64(credits) <= available ? "admitted" : "refused")"]
    case .settle(let settlements, let allOrNothing):
      return decide(allOrNothing, isDone: { !Self.isFailure($0) }) { model in
        settlements.map { model.settle($0) }
      }
    case .releaseGroup(let group): return [releaseGroup(group, of: userID)]
    case .refund(let id, let place, let entryID, let credits):
      guard ledger.indices.contains(place) else { return ["unknown entry"] }
      let refund = Refund(userID: userID, id: id, entryID: entryID, credits: credits)
      return [self.refund(refund, ofCharge: place)]
    case .setBudget(let budget):
      budgets[userID] = budget
      return ["\(available(userID, year)) available"]
    case .usage:
      let held = holds.values.reduce(Int64(0)) { $0 + Int64($1.held) }
      return ["held \(held), \(available(userID, year)) available"]
    case .reservation(let id):
      guard let hold = holds[id] else { return ["unknown reservation"] }
      return [Self.summary(id, hold.state.rawValue, held: hold.held, committed: hold.committed)]
    case .reservations:
      return holds.map { id, hold in
        Self.summary(id, hold.state.rawValue, held: hold.held, committed: hold.committed)
      }.sorted()
    case .entries:
      return ledger.map { Self.summary(of: $0.reservationID, $0.credits, isRefund: $0.isRefund) }
    case .advance(let seconds):
      advance(by: seconds)
      return []
    }
  }

  /// Returns true if the answer of an item of a batch is a failure.
  public static func isFailure(_ answer: String) -> Bool {
    ["conflict", "not open", "more than", "insufficient", "unknown"].contains {
      answer.hasPrefix($0)
    }
  }

  /// Describes a reservation in a line.
  public static func summary(
    _ id: UUID, _ state: String, held: Int32, committed: Int32
  ) -> String {
    "\(id) \(state), held \(held), committed \(committed)"
  }

  /// Describes a ledger entry in a line.
  public static func summary(of reservationID: UUID?, _ credits: Int32, isRefund: Bool) -> String {
    "\(isRefund ? "refund" : "charge") \(credits) of \(reservationID?.uuidString ?? "none")"
  }

  /// Runs a batch, and undoes it if it is all or nothing and not all of its items are done.
  private mutating func decide(
    _ allOrNothing: Bool, isDone: (String) -> Bool, _ body: (inout ModelLedger) -> [String]
  ) -> [String] {
    var changed = self
    let answers = body(&changed)
    guard allOrNothing, !answers.allSatisfy(isDone) else {
      self = changed
      return answers
    }
    return answers.map { isDone($0) ? "batch failed" : $0 }
  }
}

/// A generator of calls for a user, which concurrent clients make.
///
/// There are few reservations and few ids, so that the calls of the clients conflict.
public struct LedgerCallMaker: Sendable {
  private let userID: UUID
  private let requests: [ReservationRequest]
  private let groups: [UUID]
  private let refundIDs: [UUID]
  /// The ids of the ledger entries that the client has read.
  public var entryIDs: [UUID] = []
  private var random: SeededGenerator

  /// Creates a generator for a client.
  ///
  /// - Parameters:
  ///   - seed: The seed, which all clients of a user share, so that they use the same ids.
  ///   - client: The number of the client, which makes its calls differ from those of the others.
  ///   - secondsToLive: The range of the times to live, in seconds.
  public init(for userID: UUID, seed: UInt64, client: UInt64, secondsToLive: ClosedRange<Int>)
    throws
  {
    var shared = SeededGenerator(seed: seed)
    self.userID = userID
    let groups = (0..<2).map { _ in UUID(using: &shared) }
    requests = try (0..<10).map { _ in
      try ReservationRequest(
        userID: userID, id: UUID(using: &shared), credits: .random(in: 1...5, using: &shared),
        operation: Bool.random(using: &shared) ? .generation : .regeneration,
        timeToLive: .seconds(Int.random(in: secondsToLive, using: &shared)),
        groupID: Int.random(in: 0..<3, using: &shared) == 0 ? groups[0] : nil,
        mode: Int.random(in: 0..<3, using: &shared) == 0 ? .bestEffort : .normal)
    }
    self.groups = groups
    refundIDs = (0..<3).map { _ in UUID(using: &shared) }
    random = SeededGenerator(seed: seed &+ 1 &+ client)
  }

  /// Returns the next random call.
  public mutating func next() throws -> LedgerCall {
    switch choice(20) {
    case 0..<6:
      return .reserve(
        try (0...choice(3)).map { _ in try request() }, allOrNothing: choice(4) == 0)
    case 6..<13:
      return .settle((0...choice(3)).map { _ in settlement() }, allOrNothing: choice(4) == 0)
    case 13: return .releaseGroup(groups[choice(5) == 0 ? 1 : 0])
    case 14:
      guard !entryIDs.isEmpty else { return .entries }
      let place = choice(entryIDs.count)
      return .refund(
        id: choice(2) == 0 ? refundIDs[choice(refundIDs.count)] : UUID(using: &random),
        place: place,
        entryID: entryIDs[place], credits: [nil, 1, 2][choice(3)])
    case 15: return choice(2) == 0 ? .setBudget(Int64(6 + choice(12))) : .check(credits: 3)
    case 16, 17: return .usage
    case 18:
      return choice(2) == 0 ? .reservations : .reservation(requests[choice(requests.count)].id)
    default: return .entries
    }
  }

  private mutating func choice(_ count: Int) -> Int { .random(in: 0..<count, using: &random) }

  private mutating func request() throws -> ReservationRequest {
    let first = requests[choice(requests.count)]
    guard choice(12) == 0 else { return first }
    return try ReservationRequest(
      userID: userID, id: first.id, credits: first.credits + 1, operation: first.operation,
      timeToLive: first.timeToLive, groupID: first.groupID, mode: first.mode)
  }

  private mutating func settlement() -> Settlement {
    let action: Settlement.Action
    switch choice(8) {
    case 0: action = .release
    case 1: action = .dispatch(timeToLive: choice(2) == 0 ? nil : .seconds(60))
    case 2: action = .extend(timeToLive: .seconds(60))
    default:
      action = .commit(
        // One of few ids, so that commits are retried.
        id: groups[choice(2)], credits: [nil, 0, 1, 1, 2, 5][choice(6)],
        isFinal: choice(2) == 0, allowsOverrun: choice(3) == 0)
    }
    return Settlement(
      userID: userID, reservationID: requests[choice(requests.count)].id, action: action)
  }
}

extension UUID {
  /// Creates a random id that the seed determines.
  public init(using random: inout SeededGenerator) {
    var bytes = (0..<16).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    self.init(
      uuid: (
        bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
        bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
      ))
  }
}
