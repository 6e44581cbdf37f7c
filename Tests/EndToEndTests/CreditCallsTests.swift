import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// Credit calls of the client library: batches, dispatch, refunds, lists, groups and extensions.
@Suite struct CreditCallsTests {
  private static func withCredits(
    annualBudget: Int, _ body: (Credits, UUID) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: annualBudget)
      try await database.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          try await body(client.credits, user)
        }
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }

  private static func request(
    _ credits: Int32, _ user: UUID, _ id: UUID = UUID()
  ) -> ReserveCreditsRequest {
    ReserveCreditsRequest(userID: user.wireText, credits: credits, reservationID: id.wireText)
  }

  @Test func `each request of a batch has its own result`() async throws {
    try await Self.withCredits(annualBudget: 10) { credits, user in
      let id = UUID()
      let results = try await credits.batchReserve([
        Self.request(4, user, id), Self.request(7, user), Self.request(1, UUID()),
        Self.request(5, user, id), Self.request(4, user, id),
      ])
      #expect(results.map { (try? $0.get())?.success } == [true, false, nil, nil, true])
      #expect(results.map { (try? $0.get())?.replayed } == [false, false, nil, nil, true])
      let errors = results.compactMap { result in
        if case .failure(let error) = result { error } else { nil }
      }
      #expect(errors.map(\.code) == [.notFound, .alreadyExists])
      let field = FieldViolation(field: "credits", description: errors[1].message)
      #expect(errors[1].details == [.badRequest([field])])
    }
  }

  @Test func `commits that would exceed the maximum total are refused with the limit`() async throws
  {
    try await Self.withCredits(annualBudget: 1 << 30) { credits, user in
      let id = UUID()
      _ = try await credits.reserve(for: user, credits: 1, id: id)
      func commit(_ number: Int) async throws -> CommitReservationResponse {
        try await credits.commit(
          id, of: user, credits: number, commitID: UUID(), isFinal: false, allowsOverrun: true)
      }
      _ = try await commit(1 << 30)
      var entries: [CreditUsageEntry] = []
      for try await entry in credits.ledger(of: user) { entries.append(entry) }
      let charge = try #require(UUID(wireText: entries[0].entryID))
      _ = try await credits.refund(charge, of: user)
      let error = await #expect(throws: RPCError.self) { _ = try await commit(1 << 30) }
      #expect(error?.code == .failedPrecondition)
      #expect(
        error?.message == "the commits of a reservation cannot exceed 2147483647 credits, "
          + "and 1073741824 are already committed")
      #expect(try await commit((1 << 30) - 1).reservation?.committed == .max)
    }
  }

  @Test func `an all-or-nothing batch is written completely or not at all`() async throws {
    try await Self.withCredits(annualBudget: 10) { credits, user in
      let ids = [UUID(), UUID()]
      let failed = try await credits.batchReserve(
        [Self.request(4, user, ids[0]), Self.request(7, user, ids[1])], allOrNothing: true)
      guard case .failure(let first) = failed[0], case .success(let second) = failed[1] else {
        Issue.record("\(failed)")
        return
      }
      #expect(first.code == .aborted)
      #expect(!second.success)
      let usage = try await credits.usage(of: user)
      #expect(usage.held == 0)
      let reserved = try await credits.batchReserve(
        [Self.request(4, user, ids[0]), Self.request(6, user, ids[1])], allOrNothing: true)
      #expect(reserved.allSatisfy { (try? $0.get())?.success == true })

      let commit = CommitReservationRequest(
        userID: user.wireText, reservationID: ids[0].wireText, credits: 3)
      let extend = ExtendReservationRequest(
        userID: user.wireText, reservationID: ids[1].wireText)
      let release = ReleaseReservationRequest(
        userID: user.wireText, reservationID: UUID().wireText)
      let undone = try await credits.batchSettle(
        [.commit(commit), .extend(extend), .release(release)], allOrNothing: true)
      #expect(
        undone.map { result -> StatusCode in
          if case .failure(let error) = result { error.code } else { .ok }
        } == [.aborted, .aborted, .notFound])
      let done = try await credits.batchSettle([.commit(commit), .extend(extend)])
      guard case .success(.commit(let committed)) = done[0], case .success(.extend) = done[1] else {
        Issue.record("\(done)")
        return
      }
      #expect(committed.committed == 3)
      #expect(committed.released == 1)
    }
  }

  @Test func `a reservation is dispatched, extended and committed in parts`() async throws {
    try await Self.withCredits(annualBudget: 10) { credits, user in
      let id = UUID()
      let reserved = try await credits.reserve(
        for: user, credits: 20, id: id, timeToLive: .seconds(60), mode: .bestEffort)
      #expect(reserved.granted == 10)
      let dispatched = try await credits.dispatch(id, of: user, timeToLive: .seconds(600))
      #expect(dispatched.reservation?.state == .dispatched)
      let before = try #require(dispatched.reservation?.expiresAt?.date)
      let first = try #require(reserved.reservation?.expiresAt?.date)
      #expect(before > first)
      let extended = try await credits.extend(id, of: user)
      let after = try #require(extended.reservation?.expiresAt?.date)
      #expect(after > before)
      let part = try await credits.commit(
        id, of: user, credits: 4, commitID: UUID(), isFinal: false)
      #expect(part.reservation?.held == 6)
      #expect(part.released == 0)
      let rest = try await credits.commit(id, of: user, credits: 1, commitID: UUID())
      #expect(rest.committed == 1)
      #expect(rest.released == 5)
      #expect(rest.reservation?.committed == 5)
      let other = UUID()
      _ = try await credits.reserve(for: user, credits: 2, id: other)
      let over = try await credits.commit(other, of: user, credits: 3, allowsOverrun: true)
      #expect(over.overrun == 1)
    }
  }

  @Test func `a refund is recorded in the ledger and exported`() async throws {
    try await Self.withCredits(annualBudget: 10) { credits, user in
      _ = try await credits.withReservation(for: user, credits: 5) { _ in .commitAll(()) }
      var entries: [CreditUsageEntry] = []
      for try await entry in credits.ledger(of: user) { entries.append(entry) }
      let charge = try #require(UUID(wireText: entries[0].entryID))
      let id = UUID()
      let refunded = try await credits.refund(charge, of: user, credits: 2, id: id)
      #expect(refunded.refunded == 2)
      #expect(refunded.remaining == 7)
      #expect(refunded.entry?.refundedEntryID == charge.wireText)
      #expect(try await credits.refund(charge, of: user, credits: 2, id: id).replayed)
      await #expect { try await credits.refund(charge, of: user, credits: 4) } throws: {
        ($0 as? RPCError)?.code == .failedPrecondition
      }
      // The export starts with the oldest entry, and can resume where an earlier one ended.
      var pieces: [ExportCreditUsageResponse] = []
      try await credits.export(of: user) { pieces.append($0) }
      #expect(pieces.flatMap(\.entries).map(\.operation) == [.generation, .refund])
      let token = try #require(pieces.last?.resumeToken)
      _ = try await credits.withReservation(for: user, credits: 1) { _ in .commitAll(()) }
      var more: [CreditUsageEntry] = []
      try await credits.export(of: user, after: token) { more.append(contentsOf: $0.entries) }
      #expect(more.map(\.credits) == [1])
    }
  }

  @Test func `reservations are listed and released by group`() async throws {
    try await Self.withCredits(annualBudget: 3500) { credits, user in
      let group = UUID()
      for _ in 0..<2 {
        let requests = (0..<300).map { _ in
          var request = Self.request(1, user)
          request.groupID = group.wireText
          return request
        }
        _ = try await credits.batchReserve(requests)
      }
      _ = try await credits.reserve(for: user, credits: 1)
      var listed: [Reservation] = []
      for try await reservation in credits.reservations(of: user, in: [.held], group: group) {
        listed.append(reservation)
      }
      #expect(Set(listed.map(\.reservationID)).count == 600)
      #expect(listed.allSatisfy { $0.groupID == group.wireText })
      let released = try await credits.releaseGroup(group, of: user)
      #expect(released.reservations == 600)
      #expect(released.released == 600)
      #expect(released.remaining == 3499)
      #expect(try await credits.releaseGroup(group, of: user).replayed)
    }
  }

  @Test(arguments: [false, true])
  func `a run that continues a reservation has its whole time to live`(
    isDispatched: Bool
  ) async throws {
    try await Self.withCredits(annualBudget: 10) { credits, user in
      let id = UUID()
      let first = try await credits.reserve(
        for: user, credits: 5, id: id, timeToLive: .seconds(600))
      if isDispatched { _ = try await credits.dispatch(id, of: user) }
      let expiresAt = try #require(first.reservation?.expiresAt?.date)
      let settled = try await credits.withReservation(
        for: user, credits: 5, id: id, timeToLive: .seconds(600), isDispatched: isDispatched,
        resumesDispatched: isDispatched
      ) { held in
        #expect(held.isResumed)
        #expect(held.expiresAt > expiresAt)
        let current = try await credits.reservation(id, of: user)
        #expect(current.expiresAt?.date == held.expiresAt)
        return .commitAll(())
      }
      #expect(settled.committed == 5)
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `a reservation is extended while its closure runs`() async throws {
    try await Self.withCredits(annualBudget: 10) { credits, user in
      let settled = try await credits.withReservation(
        for: user, credits: 5, timeToLive: .seconds(60), isDispatched: true, staysAlive: true
      ) { held in
        // Waits for an extension, which moves the expiry.
        var reservation = try await credits.reservation(held.id, of: user)
        try await eventually("the reservation is extended") {
          reservation = try await credits.reservation(held.id, of: user)
          return try #require(reservation.expiresAt?.date) > held.expiresAt
        }
        return .commit(credits: 1, reservation.state)
      }
      #expect(settled.value == .dispatched)
      #expect(settled.committed == 1)
    }
  }
}
