import FoundationEssentials
import MockupDatabase
import MockupCore
import Testing

@Suite struct BatchTests {
  private func request(
    _ credits: Int32, _ user: UUID, _ id: UUID = UUID(), mockup: UUID? = nil
  ) throws -> ReservationRequest {
    try ReservationRequest(userID: user, id: id, credits: credits, mockupID: mockup)
  }

  private func commit(
    _ credits: Int32?, _ user: UUID, _ reservation: UUID, _ id: UUID = UUID()
  ) -> Settlement {
    Settlement(
      userID: user, reservationID: reservation, action: .commit(id: id, credits: credits))
  }

  private func release(_ user: UUID, _ reservation: UUID) -> Settlement {
    Settlement(userID: user, reservationID: reservation, action: .release)
  }

  @Test func `an empty batch has no outcomes`() async throws {
    try await LedgerFixture.with { ledger in
      let reserved = try await ledger.store.reserve([ReservationRequest]())
      #expect(reserved.isEmpty)
      let settled = try await ledger.store.settle([Settlement]())
      #expect(settled.isEmpty)
    }
  }

  @Test func `a smaller request is admitted after a larger one is refused`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let outcomes = try await ledger.store.reserve([
        request(4, user), request(7, user), request(6, user), request(1, user),
      ])
      #expect(
        outcomes.map { summary(of: $0) } == [
          "admitted, 6 remaining", "refused, 6 remaining", "admitted, 0 remaining",
          "refused, 0 remaining",
        ])
    }
  }

  @Test func `requests with the same id behave like sequential requests`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (id, refused) = (UUID(), UUID())
      let outcomes = try await ledger.store.reserve([
        request(4, user, id), request(4, user, id), request(5, user, id), request(1, user),
        request(9, user, refused), request(9, user, refused), request(4, user, id),
      ])
      #expect(
        outcomes.map { summary(of: $0) } == [
          "admitted, 6 remaining", "replayed admitted, 6 remaining", "conflict in credits",
          "admitted, 5 remaining", "refused, 5 remaining", "replayed refused, 5 remaining",
          "replayed admitted, 6 remaining",
        ])
      #expect(try await ledger.store.usage(of: user).held == 5)
    }
  }

  @Test func `a rejected request does not use up its id`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let mockup = try await ledger.mockup(of: user)
      let (id, unknown) = (UUID(), UUID())
      let outcomes = try await ledger.store.reserve([
        request(4, user, id, mockup: unknown), request(4, user, id, mockup: mockup),
        request(4, user, id, mockup: mockup), request(4, user, id, mockup: unknown),
      ])
      #expect(
        outcomes.map { summary(of: $0) } == [
          "unknown mockup", "admitted, 6 remaining", "replayed admitted, 6 remaining",
          "conflict in mockup_id",
        ])
    }
  }

  @Test func `users in any order do not affect each other`() async throws {
    try await LedgerFixture.with { ledger in
      var users: [UUID] = []
      for number in 0..<3 {
        users.append(try await ledger.user(budget: 10, partition: number))
      }
      users.sort { $0.uuidString > $1.uuidString }
      let ids = (0..<6).map { _ in UUID() }
      let outcomes = try await ledger.store.reserve([
        request(1, users[1], ids[0]), request(2, users[0], ids[1]), request(1, UUID()),
        request(3, users[2], ids[2]), request(10, users[1], ids[3]),
        request(1, users[1], mockup: UUID()), request(4, users[0], ids[4]),
        request(5, users[1], ids[5]),
      ])
      #expect(
        outcomes.map { summary(of: $0) } == [
          "admitted, 9 remaining", "admitted, 8 remaining", "unknown user",
          "admitted, 7 remaining", "refused, 9 remaining", "unknown mockup",
          "admitted, 4 remaining", "admitted, 4 remaining",
        ])
      let settled = try await ledger.store.settle([
        release(users[2], ids[2]), commit(nil, users[1], ids[0]), commit(1, users[0], ids[1]),
        commit(1, users[2], ids[0]), commit(2, users[1], ids[5]), release(users[0], ids[4]),
        commit(1, users[1], ids[3]),
      ])
      #expect(
        settled.map { summary(of: $0) } == [
          "released 0, 10 available", "committed 1, 4 available", "committed 1, 5 available",
          "unknown reservation", "committed 2, 7 available", "released 0, 9 available",
          "not open but refused",
        ])
      for (user, used) in zip(users, [1, 3, 0] as [Int64]) {
        let usage = try await ledger.store.usage(of: user)
        #expect(usage.used == used)
        #expect(usage.held == 0)
      }
    }
  }

  @Test func `settlements of one reservation behave like sequential settlements`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (first, second, commitID) = (UUID(), UUID(), UUID())
      try await ledger.reserve(4, for: user, id: first)
      try await ledger.reserve(3, for: user, id: second)
      let outcomes = try await ledger.store.settle([
        commit(5, user, first), commit(2, user, first, commitID), release(user, second),
        commit(2, user, first, commitID), release(user, first), commit(1, user, second),
        release(user, second), commit(1, user, first, commitID), release(user, UUID()),
      ])
      #expect(
        outcomes.map { summary(of: $0) } == [
          "more than 4", "committed 2, 5 available", "released 0, 8 available",
          "replayed committed 2, 5 available", "not open but committed",
          "not open but released", "replayed released 0, 8 available", "conflict in credits",
          "unknown reservation",
        ])
    }
  }

  @Test func `credits released by one settlement are available to the next`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (late, held) = (UUID(), UUID())
      try await ledger.reserve(4, for: user, id: late, seconds: 60)
      ledger.clock.advance(by: 60)
      try await ledger.reserve(10, for: user, id: held)
      let outcomes = try await ledger.store.settle([
        commit(nil, user, late), commit(11, user, held), commit(5, user, held),
        commit(nil, user, late),
      ])
      #expect(
        outcomes.map { summary(of: $0) } == [
          "insufficient, 0 available", "more than 10", "committed 5, 5 available",
          "late committed 4, 1 available",
        ])
      let entries = try await ledger.entries(of: user)
      #expect(entries.map(\.credits) == [5, 4])
      #expect(entries.map(\.balanceBefore) == [10, 5])
    }
  }

  @Test func `releases give credits back while the budget is overdrawn`()
    async throws
  {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 20)
      let ids = (0..<3).map { _ in UUID() }
      for (id, credits) in zip(ids, [6, 6, 2] as [Int32]) {
        try await ledger.reserve(credits, for: user, id: id)
      }
      // 14 credits are held, which is 10 more than the budget.
      try await ledger.setGuardrails(#"{"annual_mockup_budget": 4}"#, of: user)
      let outcomes = try await ledger.store.settle([
        release(user, ids[0]), release(user, ids[1]),
        Settlement(
          userID: user, reservationID: ids[2],
          action: .commit(id: UUID(), credits: 4, allowsOverrun: true)),
      ])
      #expect(
        outcomes.map { summary(of: $0) } == [
          "released 0, -4 available", "released 0, 2 available",
          "committed 4 (2 overrun), 0 available",
        ])
      #expect(try outcomes.map { try $0.get().usage.monthlyHeld } == [8, 2, 0])
      #expect(try outcomes.map { try $0.get().usage.monthlyUsed } == [0, 0, 4])
    }
  }

  @Test func `a reservation settled twice does not change the order of a batch`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (held, late) = (UUID(), UUID())
      try await ledger.reserve(4, for: user, id: late, seconds: 60)
      ledger.clock.advance(by: 60)
      try await ledger.reserve(10, for: user, id: held)
      // The second settlement of `held` precedes the only one of `late`.
      let outcomes = try await ledger.store.settle([
        commit(11, user, held), release(user, held), commit(nil, user, late),
      ])
      #expect(
        outcomes.map { summary(of: $0) } == [
          "more than 10", "released 0, 10 available", "late committed 4, 6 available",
        ])
    }
  }

  @Test func `a batch across two years charges each reservation to its own year`() async throws {
    try await LedgerFixture.with(at: "2025-12-31T23:59:59Z") { ledger in
      let (user, other) = (try await ledger.user(budget: 10), try await ledger.user(budget: 10))
      let ids = (0..<6).map { _ in UUID() }
      for (id, owner) in zip(ids, [user, user, other]) {
        try await ledger.reserve(3, for: owner, id: id)
      }
      try ledger.clock.set("2026-01-01T00:00:00Z")
      for (id, owner) in zip(ids.dropFirst(3), [user, user, other]) {
        try await ledger.reserve(4, for: owner, id: id)
      }
      let outcomes = try await ledger.store.settle([
        commit(nil, user, ids[3]), commit(nil, other, ids[2]), commit(nil, user, ids[0]),
        commit(nil, other, ids[5]), commit(nil, user, ids[4]), commit(nil, user, ids[1]),
      ])
      #expect(
        outcomes.map { summary(of: $0) } == [
          "committed 4, 2 available", "committed 3, 7 available", "committed 3, 4 available",
          "committed 4, 6 available", "committed 4, 2 available", "committed 3, 4 available",
        ])
      let entries = try await ledger.entries(of: user)
      #expect(entries.map(\.period.year) == [2025, 2025, 2026, 2026])
      #expect(entries.map(\.sequence) == [1, 2, 1, 2])
      #expect(entries.map(\.balanceBefore) == [10, 7, 10, 6])
    }
  }

  @Test func `a batch of hundreds of items is decided in order`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 300)
      let ids = (0..<500).map { _ in UUID() }
      let reserved = try await ledger.store.reserve(ids.map { try request(1, user, $0) })
      for (index, outcome) in reserved.enumerated() {
        let left = max(299 - index, 0)
        #expect(
          summary(of: outcome) == "\(index < 300 ? "admitted" : "refused"), \(left) remaining")
      }
      let settled = try await ledger.store.settle(ids.map { commit(nil, user, $0) })
      for (index, outcome) in settled.enumerated() {
        let expected = index < 300 ? "committed 1, 0 available" : "not open but refused"
        #expect(summary(of: outcome) == expected)
      }
      #expect(
        try await ledger.entries(of: user).map(\.reservationID)
          == ids.prefix(300).map(Optional.some))
    }
  }
}
