import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// Retries and ledger pages of the client library against a real server.
@Suite struct ClientTests {
  @Test(arguments: ["ReserveCredits", "DispatchReservation", "CommitReservation"], [1, 3])
  func `a call with a lost response is retried and has one effect`(method: String, times: Int)
    async throws
  {
    try await ServedUser.with(annualBudget: 10) { _, user, database, server in
      try await withTemporaryFolder { folder in
        let proxy = LossyProxy(
          listener: try RawListener(path: "\(folder)/proxy"), server: server.socket)
        let running = Task { await proxy.run(losing: times, of: method) }
        let settled = try await MockupClient.withConnection(
          to: .unixSocket(path: "\(folder)/proxy")
        ) { client in
          try await client.credits.withReservation(
            for: user, credits: 5, isDispatched: true
          ) { _ in
            .commit(credits: 3, ())
          }
        }
        proxy.listener.stop()
        await running.value
        #expect(settled.committed == 3)
        #expect(settled.remaining == 7)
        #expect(try await database.numbers("SELECT count(*) FROM mockupd.reservations") == [1])
        #expect(
          try await database.numbers(
            "SELECT sum(credits)::bigint FROM public.mockup_credit_usage") == [3])
      }
    }
  }

  @Test func `each entry of a ledger with several pages is read once, the newest first`()
    async throws
  {
    try await ServedUser.with(annualBudget: 3500) { client, user, database, _ in
      // Creates the entries with the engine's SQL functions, half of them a year ago.
      for age in ["1 year", "0 years"] {
        try await database.owner.run(
          """
          SELECT FROM mockupd.reserve(
            now() - interval '\(age)', array_fill('\(user)'::uuid, ARRAY[600]),
            (SELECT array_agg(gen_random_uuid()) FROM generate_series(1, 600)),
            array_fill(1, ARRAY[600]), array_fill('generation'::text, ARRAY[600]),
            array_fill(900, ARRAY[600]), array_fill(NULL::uuid, ARRAY[600]),
            array_fill(NULL::uuid, ARRAY[600]), array_fill('normal'::text, ARRAY[600]))
          """)
        try await database.owner.run(
          """
          WITH held AS (
            SELECT array_agg(user_id) AS users, array_agg(id) AS ids, array_agg(credits) AS credits,
              array_agg('commit'::text) AS actions, array_agg(gen_random_uuid()) AS entries
            FROM mockupd.reservations WHERE state = 'held'
          )
          SELECT FROM held, mockupd.settle(
            now() - interval '\(age)', users, ids, actions, ids, credits, NULL, NULL, NULL, entries)
          """)
      }
      var entries: [CreditUsageEntry] = []
      for try await entry in client.credits.ledger(of: user) { entries.append(entry) }
      #expect(entries.count == 1200)
      #expect(Set(entries.map(\.entryID)).count == 1200)
      let year = try await client.credits.usage(of: user).year
      let expected = [year, year - 1].flatMap { year in
        (1...600).reversed().map { [Int64(year), Int64($0)] }
      }
      #expect(entries.map { [Int64($0.year), $0.sequence] } == expected)

      var lastYear = 0
      for try await entry in client.credits.ledger(of: user, year: Int(year) - 1) {
        #expect(entry.year == year - 1)
        lastYear += 1
      }
      #expect(lastYear == 600)
      // A reader can stop after the first entry.
      for try await entry in client.credits.ledger(of: user) {
        #expect(entry.sequence == 600)
        break
      }
    }
  }
}
