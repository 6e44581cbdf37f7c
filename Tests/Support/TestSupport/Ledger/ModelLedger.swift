public import Foundation
public import MockupDatabase
public import MockupCore

/// A model of the ledger: its rules with a few dictionaries, without a database, locks or counters.
///
/// Answers are texts, in the form of `summary(of:)` in the store's tests.
public struct ModelLedger: Sendable, Hashable {
  /// A reservation.
  public struct Hold: Sendable, Hashable {
    /// The request that made the reservation.
    public let request: ReservationRequest
    /// The year whose budget is charged.
    public let year: Int32
    let granted: Int32
    let answer: String
    /// The current state.
    public var state: ReservationState
    /// The time of the expiry.
    public var expiresAt: Date
    /// The number of credits spent, overrun included.
    public var committed: Int32 = 0
    var overrun: Int32 = 0
    var isLate = false
    var commits: [UUID: SentCommit] = [:]
    var releaseAnswer: String?

    /// The number of granted credits that are not spent.
    var left: Int32 { granted - (committed - overrun) }
    /// The number of credits held; 0 unless the reservation is open.
    public var held: Int32 { state.isOpen ? left : 0 }
  }

  struct SentCommit: Sendable, Hashable {
    let commit: Settlement.Commit
    let charged: Int32
    let wasWhole: Bool
    let answer: String
  }

  /// An entry of the ledger.
  public struct Entry: Sendable, Hashable {
    /// The user who was charged or refunded.
    public let userID: UUID
    /// The year that was charged.
    public let year: Int32
    let reservationID: UUID
    let credits: Int32
    let isRefund: Bool
    var refunded: Int32 = 0
  }

  /// A refund and its answer.
  public struct SentRefund: Sendable, Hashable {
    /// The request for the refund.
    public let refund: Refund
    let charge: Int
    let credits: Int32
    let wasWhole: Bool
    let answer: String
  }

  /// The current time, which `advance(by:)` moves.
  public var now: Date
  /// The annual budgets of the users; 0 for any other user.
  public var budgets: [UUID: Int64] = [:]
  /// The owners of the mockups.
  public var mockups: [UUID: UUID] = [:]
  /// The reservations by their ids.
  public var holds: [UUID: Hold] = [:]
  /// The entries of the ledger, in the order in which they were written.
  public var ledger: [Entry] = []
  /// The refunds by their ids.
  public var refunds: [UUID: SentRefund] = [:]

  /// Creates an empty model with the current time.
  public init(now: Date) {
    self.now = now
  }

  /// Hashes a few properties only, since hashes are computed often; equality compares all.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(budgets)
    hasher.combine(ledger.count)
    hasher.combine(holds.count)
    hasher.combine(holds.values.reduce(0) { $0 &+ $1.held &* 31 &+ $1.committed })
  }

  /// The current year, in UTC.
  public var year: Int32 { Int32(Calendar.utc.component(.year, from: now)) }

  /// Returns a user's available credits in a year: budget - used - held.
  public func available(_ userID: UUID, _ year: Int32) -> Int64 {
    let spent = ledger.filter { $0.userID == userID && $0.year == year }
      .reduce(Int64(0)) { $0 + ($1.isRefund ? -1 : 1) * Int64($1.credits) }
    let held = holds.values.filter { $0.request.userID == userID && $0.year == year }
      .reduce(Int64(0)) { $0 + Int64($1.held) }
    return budgets[userID, default: 0] - spent - held
  }

  /// Advances the time, and expires the reservations that are due.
  public mutating func advance(by seconds: Int64) {
    now.addTimeInterval(Double(seconds))
    for (id, hold) in holds where hold.expiresAt <= now {
      switch hold.state {
      case .held: holds[id]?.state = .expired
      case .dispatched: holds[id]?.state = .unresolved
      default: break
      }
    }
  }

  /// Reserves credits; a retry gets the first answer.
  public mutating func reserve(_ request: ReservationRequest) -> String {
    if let hold = holds[request.id] {
      let first = hold.request
      if first.credits != request.credits { return "conflict in credits" }
      if first.operation != request.operation { return "conflict in operation" }
      if first.timeToLive != request.timeToLive { return "conflict in time_to_live" }
      if first.mockupID != request.mockupID { return "conflict in mockup_id" }
      if first.groupID != request.groupID { return "conflict in group_id" }
      if first.mode != request.mode { return "conflict in mode" }
      return "replayed \(hold.answer)"
    }
    if let mockup = request.mockupID, mockups[mockup] != request.userID { return "unknown mockup" }
    let available = available(request.userID, year)
    let granted: Int64 =
      if Int64(request.credits) <= available {
        Int64(request.credits)
      } else {
        request.mode == .bestEffort ? max(available, 0) : 0
      }
    holds[request.id] = Hold(
      request: request, year: year, granted: Int32(granted),
      answer: "\(granted > 0 ? "admitted" : "refused"), \(available - granted) remaining",
      state: granted > 0 ? .held : .refused,
      expiresAt: now.addingTimeInterval(Double(request.timeToLive.components.seconds)))
    return holds[request.id]?.answer ?? ""
  }

  /// Dispatches, extends, commits or releases a reservation.
  public mutating func settle(_ settlement: Settlement) -> String {
    guard var hold = holds[settlement.reservationID],
      hold.request.userID == settlement.userID
    else { return "unknown reservation" }
    defer { holds[settlement.reservationID] = hold }
    switch settlement.action {
    case .dispatch(let timeToLive):
      guard hold.state == .held || hold.state == .dispatched else { return notOpen(hold) }
      let isReplayed = hold.state == .dispatched
      hold.state = .dispatched
      if let timeToLive { extend(&hold, timeToLive) }
      return (isReplayed ? "replayed " : "") + answer(hold)
    case .extend(let timeToLive):
      guard hold.state == .held || hold.state == .dispatched else { return notOpen(hold) }
      extend(&hold, timeToLive)
      return answer(hold)
    case .release:
      if let answer = hold.releaseAnswer { return "replayed \(answer)" }
      // A final commit of 0 credits was a release, too.
      if hold.state == .released, let sent = hold.commits.values.first(where: { $0.commit.isFinal })
      {
        return "replayed \(sent.answer)"
      }
      guard hold.state.isOpen else { return notOpen(hold) }
      let answer = close(&hold, settlement)
      hold.releaseAnswer = answer
      return answer
    case .commit(let commit):
      return self.commit(commit, &hold, settlement)
    }
  }

  private mutating func commit(
    _ commit: Settlement.Commit, _ hold: inout Hold, _ settlement: Settlement
  ) -> String {
    if let sent = hold.commits[commit.id] {
      if commit.credits.map({ $0 != sent.charged }) ?? !sent.wasWhole {
        return "conflict in credits"
      }
      if commit.isFinal != sent.commit.isFinal { return "conflict in final" }
      if commit.allowsOverrun != sent.commit.allowsOverrun { return "conflict in allow_overrun" }
      return "replayed \(sent.answer)"
    }
    let charge = commit.credits ?? hold.left
    guard hold.state.isOpen || (hold.state == .expired && charge > 0) else { return notOpen(hold) }
    guard charge <= hold.left || commit.allowsOverrun else { return "more than \(hold.left)" }
    let available = available(settlement.userID, hold.year)
    if charge > hold.held, Int64(charge - hold.held) > available {
      return "insufficient, \(available) available"
    }
    let wasWhole = charge == hold.left
    hold.isLate = hold.isLate || charge > 0 && (hold.state == .expired || hold.state == .unresolved)
    hold.overrun += max(charge - hold.left, 0)
    hold.committed += charge
    if charge > 0 {
      ledger.append(
        Entry(
          userID: settlement.userID, year: hold.year, reservationID: settlement.reservationID,
          credits: charge, isRefund: false))
    }
    holds[settlement.reservationID] = hold
    let answer = commit.isFinal ? close(&hold, settlement) : answer(hold)
    hold.commits[commit.id] = SentCommit(
      commit: commit, charged: charge, wasWhole: wasWhole, answer: answer)
    return answer
  }

  /// Releases the open reservations of a group.
  public mutating func releaseGroup(_ groupID: UUID, of userID: UUID) -> String {
    let members = holds.filter {
      $0.value.request.groupID == groupID && $0.value.request.userID == userID
    }
    guard !members.isEmpty else { return "unknown group" }
    // In the order of the ids, as the engine does.
    var isReplayed = true
    for (id, hold) in members.sorted(by: { $0.key.uuidString < $1.key.uuidString })
    where hold.state.isOpen {
      _ = settle(Settlement(userID: userID, reservationID: id, action: .release))
      isReplayed = false
    }
    let released = members.keys.compactMap { holds[$0] }.filter {
      $0.state == .released || $0.state == .committed && $0.releaseAnswer != nil
    }
    return "\(isReplayed ? "replayed " : "")released \(released.reduce(0) { $0 + $1.left }) of "
      + "\(released.count), \(available(userID, year)) available"
  }

  /// Refunds a charge by its index in the ledger.
  public mutating func refund(_ refund: Refund, ofCharge index: Int) -> String {
    if let sent = refunds[refund.id] {
      if sent.charge != index { return "conflict in entry_id" }
      if refund.credits.map({ $0 != sent.credits }) ?? !sent.wasWhole {
        return "conflict in credits"
      }
      return "replayed \(sent.answer)"
    }
    let charge = ledger[index]
    let left = charge.credits - charge.refunded
    if charge.isRefund { return "not a charge" }
    if left < 1 || (refund.credits ?? left) > left { return "more than was charged" }
    let credits = refund.credits ?? left
    ledger[index].refunded += credits
    ledger.append(
      Entry(
        userID: charge.userID, year: charge.year, reservationID: charge.reservationID,
        credits: credits, isRefund: true))
    let answer = "refunded \(credits), \(available(charge.userID, charge.year)) available"
    refunds[refund.id] = SentRefund(
      refund: refund, charge: index, credits: credits, wasWhole: credits == left, answer: answer)
    return answer
  }

  private func extend(_ hold: inout Hold, _ timeToLive: Duration) {
    hold.expiresAt = max(
      hold.expiresAt, now.addingTimeInterval(Double(timeToLive.components.seconds)))
  }

  private mutating func close(_ hold: inout Hold, _ settlement: Settlement) -> String {
    hold.state = hold.committed > 0 ? .committed : .released
    holds[settlement.reservationID] = hold
    return answer(hold)
  }

  private func notOpen(_ hold: Hold) -> String { "not open but \(hold.state.rawValue)" }

  private func answer(_ hold: Hold) -> String {
    "\(hold.isLate ? "late " : "")\(hold.state.rawValue) \(hold.committed)"
      + (hold.overrun > 0 ? " (\(hold.overrun) overrun)" : "")
      + ", \(available(hold.request.userID, hold.year)) available"
  }
}

extension Calendar {
  fileprivate static let utc: Calendar = {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    return calendar
  }()
}
