import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// `withReservation` of the client library against a real server.
@Suite struct WithReservationTests {
  struct TestError: Error {}

  @Test func `the result of the closure settles the reservation`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let part = try await client.credits.withReservation(for: user, credits: 5) { held in
        #expect(held.credits == 5)
        #expect(held.user == user)
        #expect(held.expiresAt > Date())
        let state = try await client.credits.reservation(held.id, of: user).state
        return .commit(credits: 2, state)
      }
      #expect(part.value == .held)
      #expect(part.committed == 2)
      #expect(part.remaining == 8)
      let all = try await client.credits.withReservation(for: user, credits: 3) { _ in
        .commitAll("done")
      }
      #expect(all.value == "done")
      #expect(all.committed == 3)
      #expect(all.usage.totalUsed == 5)
      let none = try await client.credits.withReservation(for: user, credits: 5) { _ in
        .release(1)
      }
      #expect(none.committed == 0)
      #expect(none.remaining == 5)
    }
  }

  @Test func `an error of the closure releases the credits`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let id = UUID()
      await #expect(throws: TestError.self) {
        try await client.credits.withReservation(for: user, credits: 5, id: id) { _ in
          if true { throw TestError() }
          return .commitAll(())
        }
      }
      let reservation = try await client.credits.reservation(id, of: user)
      #expect(reservation.state == .released)
      let usage = try await client.credits.usage(of: user)
      #expect(usage.remainingAnnual == 10)
    }
  }

  @Test func `cancellation of the closure releases the credits`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let id = UUID()
      let started = Flag()
      let task = Task {
        try await client.credits.withReservation(for: user, credits: 5, id: id) { _ in
          started.set()
          try await Task.sleep(for: testTimeout)
          return .commitAll(())
        }
      }
      try await started.wait()
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      let reservation = try await client.credits.reservation(id, of: user)
      #expect(reservation.state == .released)
    }
  }

  // MARK: Reused ids

  @Test func `a run under a settled id is refused with the outcome`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let id = UUID()
      _ = try await client.credits.withReservation(for: user, credits: 5, id: id) { _ in
        .commit(credits: 3, ())
      }
      for _ in 1...2 {
        await #expect {
          try await client.credits.withReservation(for: user, credits: 5, id: id) { _ in
            Issue.record("the closure ran again")
            return .commitAll(())
          }
        } throws: { error in
          let used = error as? ReservationAlreadyUsed
          return used?.reservation.state == .committed && used?.reservation.committed == 3
            && "\(error)" == "reservation \(id.wireText) is already COMMITTED: "
              + "3 of 5 credits were committed"
        }
      }
      #expect(try await client.credits.usage(of: user).totalUsed == 3)
    }
  }

  /// The state of an existing reservation, and the effect of a run under its id.
  private struct ExistingReservation: Sendable, CustomTestStringConvertible {
    var state: ReservationState
    /// True if the closure runs without `resumesDispatched`.
    var runs: Bool
    /// True if the closure runs with `resumesDispatched`.
    var runsWithResume: Bool

    var testDescription: String { "\(state)" }
  }

  @Test(
    arguments: [
      ExistingReservation(state: .held, runs: true, runsWithResume: true),
      ExistingReservation(state: .dispatched, runs: false, runsWithResume: true),
      ExistingReservation(state: .unresolved, runs: false, runsWithResume: false),
      ExistingReservation(state: .released, runs: false, runsWithResume: false),
      ExistingReservation(state: .expired, runs: false, runsWithResume: false),
    ], [false, true])
  private func `a closure runs again only for a held reservation or a resumed dispatched one`(
    existing: ExistingReservation, resumesDispatched: Bool
  ) async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, database, _ in
      let id = UUID()
      _ = try await client.credits.reserve(for: user, credits: 5, id: id)
      switch existing.state {
      case .dispatched, .unresolved: _ = try await client.credits.dispatch(id, of: user)
      case .released: _ = try await client.credits.release(id, of: user)
      default: break
      }
      if existing.state == .unresolved || existing.state == .expired {
        try await database.expireReservations()
      }
      let runs = resumesDispatched ? existing.runsWithResume : existing.runs
      let run = Task {
        try await client.credits.withReservation(
          for: user, credits: 5, id: id, resumesDispatched: resumesDispatched
        ) { held in
          #expect(runs)
          #expect(held.isResumed)
          #expect(held.credits == 5)
          return .commit(credits: 4, ())
        }
      }
      if runs {
        #expect(try await run.value.committed == 4)
      } else {
        await #expect {
          try await run.value
        } throws: { error in
          (error as? ReservationAlreadyUsed)?.reservation.state == existing.state
        }
        #expect(try await client.credits.reservation(id, of: user).state == existing.state)
      }
    }
  }

  @Test func `a refused id stays refused`() async throws {
    try await ServedUser.with(annualBudget: 4) { client, user, database, _ in
      let id = UUID()
      func run() async throws {
        _ = try await client.credits.withReservation(for: user, credits: 5, id: id) { _ in
          Issue.record("the closure ran")
          return .commitAll(())
        }
      }
      await #expect(throws: InsufficientCredits.self) { try await run() }
      _ = try await client.admin.setBudget(of: user, annual: 10)
      await #expect(throws: InsufficientCredits.self) { try await run() }
      let refused = try await client.credits.reservation(id, of: user)
      #expect(refused.state == .refused)
      #expect(refused.expiresAt == nil)
      let again = try await client.credits.reserve(for: user, credits: 5, id: id)
      #expect(again.reservation?.expiresAt == nil)
      for try await listed in client.credits.reservations(of: user) {
        #expect(listed.expiresAt == nil)
      }
    }
  }

  // MARK: Dispatched reservations

  @Test func `an error after dispatch leaves the credits held`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let id = UUID()
      await #expect(throws: TestError.self) {
        try await client.credits.withReservation(
          for: user, credits: 5, id: id, isDispatched: true
        ) { _ in
          if true { throw TestError() }
          return .commitAll(())
        }
      }
      #expect(try await client.credits.reservation(id, of: user).state == .dispatched)
      #expect(try await client.credits.usage(of: user).held == 5)
      // The closure of the second run settles what the vendor charged.
      let settled = try await client.credits.withReservation(
        for: user, credits: 5, id: id, isDispatched: true, resumesDispatched: true
      ) { held in
        #expect(held.isResumed)
        return .commit(credits: 1, ())
      }
      #expect(settled.committed == 1)
      #expect(settled.usage.held == 0)
    }
  }

  @Test(arguments: [false, true])
  func `a NotCharged error releases the credits`(
    isDispatched: Bool
  ) async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let id = UUID()
      await #expect(throws: TestError.self) {
        try await client.credits.withReservation(
          for: user, credits: 5, id: id, isDispatched: isDispatched
        ) { _ in
          if true { throw NotCharged(TestError()) }
          return .commitAll(())
        }
      }
      let reservation = try await client.credits.reservation(id, of: user)
      #expect(reservation.state == .released)
    }
  }

  @Test func `only one of two runs with the same id dispatches`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let id = UUID()
      let settled = try await client.credits.withReservation(for: user, credits: 5, id: id) {
        held in
        // Another run of the job dispatches before this one has called the vendor.
        _ = try await client.credits.dispatch(held.id, of: user)
        await #expect(throws: ReservationAlreadyUsed.self) {
          try await client.credits.withReservation(
            for: user, credits: 5, id: id, isDispatched: true
          ) { _ in
            Issue.record("the closure ran")
            return .commitAll(())
          }
        }
        return .commitAll(())
      }
      #expect(settled.committed == 5)
    }
  }

  @Test func `the closure does not run if credits are insufficient`() async throws {
    try await ServedUser.with(annualBudget: 4) { client, user, _, _ in
      await #expect {
        try await client.credits.withReservation(for: user, credits: 5) { _ in
          Issue.record("the closure ran")
          return .commitAll(())
        }
      } throws: { error in
        let insufficient = error as? InsufficientCredits
        return insufficient?.remaining == 4
          && insufficient?.description == "Insufficient credits. 4 remaining."
      }
    }
  }
}
