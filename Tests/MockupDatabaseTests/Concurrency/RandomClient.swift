import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport

/// The reservations that all clients of a test share.
actor KnownReservations {
  private var known: [(userID: UUID, id: UUID, commitID: UUID)] = []

  func add(_ id: UUID, of userID: UUID, commitID: UUID) {
    known.append((userID, id, commitID))
  }

  /// Returns one of the reservations, more often a recent one.
  func any(_ choice: UInt64) -> (userID: UUID, id: UUID, commitID: UUID)? {
    guard !known.isEmpty else { return nil }
    return known.suffix(choice % 4 == 0 ? known.count : 8).randomElement(choice >> 2)
  }
}

extension Collection {
  fileprivate func randomElement(_ choice: UInt64) -> Element? {
    isEmpty ? nil : self[index(startIndex, offsetBy: Int(choice % UInt64(count)))]
  }
}

/// A client that reserves, settles and refunds at random, and records the answers.
struct RandomClient {
  let stores: [CreditStore]
  let clock: TestClock
  let users: [UUID]
  let reservations: KnownReservations
  var random: SplitMix64

  /// Each request with its first answer.
  var reserved: [(ReservationRequest, ReservationOutcome)] = []
  var settled: [(Settlement, SettlementOutcome)] = []
  /// Descriptions of concurrent duplicate requests whose answers contradict each other.
  var contradictions: [String] = []
  /// The number of refunds.
  var refundCount = 0
  private let group = UUID()

  init(
    stores: [CreditStore], clock: TestClock, users: [UUID], reservations: KnownReservations,
    seed: UInt64
  ) {
    self.stores = stores
    self.clock = clock
    self.users = users
    self.reservations = reservations
    random = SplitMix64(state: seed)
  }

  mutating func step() async throws {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<6: try await reserveBatch()
    case 6..<8: try await reserveTwiceConcurrently()
    case 8: try await refund()
    case 9: try await releaseGroup()
    default: try await settleBatch()
    }
    clock.advance(by: Int64.random(in: 0...1, using: &random))
  }

  private var store: CreditStore {
    mutating get { stores[Int.random(in: stores.indices, using: &random)] }
  }

  private mutating func request() throws -> ReservationRequest {
    try ReservationRequest(
      userID: users[Int.random(in: users.indices, using: &random)], id: UUID(using: &random),
      credits: Int32.random(in: 1...8, using: &random),
      operation: Bool.random(using: &random) ? .generation : .regeneration,
      timeToLive: .seconds(Int.random(in: 1...20, using: &random)),
      groupID: Int.random(in: 0..<8, using: &random) == 0 ? group : nil,
      mode: Int.random(in: 0..<4, using: &random) == 0 ? .bestEffort : .normal)
  }

  private mutating func remember(
    _ request: ReservationRequest, _ outcome: ReservationOutcome
  ) async {
    reserved.append((request, outcome))
    await reservations.add(request.id, of: request.userID, commitID: UUID(using: &random))
  }

  private mutating func reserveBatch() async throws {
    var requests: [ReservationRequest] = []
    for _ in 0..<Int.random(in: 1...4, using: &random) { requests.append(try request()) }
    for (request, outcome) in zip(requests, try await store.reserve(requests)) {
      await remember(request, try outcome.get())
    }
  }

  private mutating func reserveTwiceConcurrently() async throws {
    let request = try request()
    let (one, other) = (store, store)
    async let first = one.reserve(request)
    async let second = other.reserve(request)
    var outcomes = [try await first, try await second]
    if outcomes.count(where: \.isReplayed) != 1 {
      contradictions.append("\(request) was reserved \(outcomes)")
    }
    for index in outcomes.indices { outcomes[index].isReplayed = false }
    if outcomes[0] != outcomes[1] {
      contradictions.append("\(request) was answered \(outcomes)")
    }
    await remember(request, outcomes[0])
  }

  private mutating func settleBatch() async throws {
    var settlements: [Settlement] = []
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      guard let known = await reservations.any(random.next()) else { return }
      settlements.append(
        Settlement(
          userID: known.userID, reservationID: known.id, action: action(known.commitID)))
    }
    for (settlement, result) in zip(settlements, try await store.settle(settlements)) {
      switch result {
      case .success(let outcome): settled.append((settlement, outcome))
      case .failure(.notOpen), .failure(.exceedsHeld), .failure(.insufficient),
        .failure(.conflict):
        continue
      case .failure(let error): throw error
      }
    }
  }

  private mutating func action(_ commitID: UUID) -> Settlement.Action {
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1: return .release
    case 2, 3, 4: return .dispatch()
    case 5: return .extend(timeToLive: .seconds(Int.random(in: 1...20, using: &random)))
    default:
      let credits: [Int32?] = [nil, nil, 0, 1, 2, 4]
      // Usually the commit id that all clients use for the reservation.
      let isOwn = Int.random(in: 0..<4, using: &random) == 0
      return .commit(
        id: isOwn ? UUID(using: &random) : commitID,
        credits: credits.randomElement(using: &random) ?? nil,
        isFinal: Int.random(in: 0..<4, using: &random) > 0,
        allowsOverrun: Int.random(in: 0..<4, using: &random) == 0)
    }
  }

  private mutating func releaseGroup() async throws {
    let userID = users[Int.random(in: users.indices, using: &random)]
    do {
      _ = try await store.releaseGroup(group, of: userID)
    } catch CreditError.unknownGroup {}
  }

  /// Refunds one credit of any charge.
  private mutating func refund() async throws {
    let userID = users[Int.random(in: users.indices, using: &random)]
    let entries = try await store.entries(of: userID, after: nil, count: 10).rows
    guard let entry = entries.randomElement(using: &random) else { return }
    do {
      _ = try await store.refund(
        Refund(userID: userID, id: UUID(using: &random), entryID: entry.id, credits: 1))
      refundCount += 1
    } catch CreditError.notACharge {
    } catch CreditError.exceedsCharge {
    }
  }
}
