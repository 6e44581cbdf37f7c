import FoundationEssentials
import MockupDatabase
import MockupCore
import MockupSchema
import Postgres
import TestSupport
import Testing

/// A proxy database over two partitions, with the stores of a server that uses it.
@Suite struct ProxyTests {
  struct Server {
    let database: PartitionedDatabase
    let pool: Pool
    let credits: CreditStore
    let admin: AdminStore

    func reserve(_ credits: Int32, for user: UUID, id: UUID = UUID()) async throws -> Bool {
      try await self.credits.reserve(Self.request(credits, for: user, id: id)).admission.isAdmitted
    }

    static func request(
      _ credits: Int32, for user: UUID, id: UUID = UUID()
    ) throws -> ReservationRequest {
      try ReservationRequest(
        userID: user, id: id, credits: credits, operation: .generation, timeToLive: .seconds(900))
    }

    func held(by user: UUID) async throws -> Int64 { try await credits.usage(of: user).held }
  }

  private func withServer(_ body: (Server) async throws -> Void) async throws {
    try await PartitionedDatabase.with { database in
      try await database.proxy.withPool { pool in
        try await body(
          Server(
            database: database, pool: pool, credits: CreditStore(pool: pool),
            admin: AdminStore(pool: pool)))
      }
      #expect(try await database.discrepancies() == [])
    }
  }

  @Test func `calls reach the partition of their user`() async throws {
    try await withServer { server in
      for number in [0, 1] {
        let user = try await server.database.makeUser(in: number)
        let id = UUID()
        #expect(try await server.reserve(100, for: user, id: id))
        _ = try await server.credits.settle(
          Settlement(
            userID: user, reservationID: id,
            action: .commit(id: UUID(), credits: 60, isFinal: true, allowsOverrun: false)))
        #expect(try await server.credits.usage(of: user).generation == 60)
        #expect(try await server.credits.reservation(id, of: user).state == .committed)
        #expect(try await server.credits.entries(of: user, after: nil, count: 9).rows.count == 1)
        for (partition, rows) in zip(server.database.partitions, [1 - number, number]) {
          let count = "SELECT count(*) FROM mockupd.reservations WHERE id = '\(id)'"
          let found = try await partition.withOwner { pool in try await pool.lines(count) }
          #expect(found == ["\(rows)"])
        }
      }
    }
  }

  @Test func `a batch of users of several partitions is divided, unless it is all or nothing`()
    async throws
  {
    try await withServer { server in
      let users = [
        try await server.database.makeUser(in: 0), try await server.database.makeUser(in: 1),
      ]
      let requests = try (0..<6).map { try Server.request(Int32($0 + 1), for: users[$0 % 2]) }
      let error = await #expect(throws: PostgresError.self) {
        try await server.credits.reserve(requests, allOrNothing: true)
      }
      #expect(error?.spansPartitions == true)
      for user in users { #expect(try await server.held(by: user) == 0) }

      let outcomes = try await server.credits.reserve(requests)
      let granted = try outcomes.map { try $0.get().reservation.granted }
      #expect(granted == [1, 2, 3, 4, 5, 6])
      #expect(try await server.held(by: users[0]) == 9)
      #expect(try await server.held(by: users[1]) == 12)
    }
  }

  @Test func `a batch of which a partition cannot write its part has an unknown outcome`()
    async throws
  {
    try await withServer { server in
      let users = [
        try await server.database.makeUser(in: 0), try await server.database.makeUser(in: 1),
      ]
      let requests = try users.map { try Server.request(1, for: $0) }
      try await server.database.proxy.owner.run(
        "ALTER SERVER mockupd OPTIONS (SET p1 'dbname=part1 host=/nonexistent')")
      let error = await #expect(throws: PostgresError.self) {
        try await server.credits.reserve(requests)
      }
      #expect(error?.code == .connectionLost)
      #expect(try await server.held(by: users[0]) == 1)
      // The partition of the second request is the first to be asked: nothing has been written.
      let unwritten = await #expect(throws: PostgresError.self) {
        try await server.credits.reserve([requests[1]])
      }
      #expect(unwritten?.code == .connectionUnavailable)
    }
  }

  @Test func `an all-or-nothing batch of one partition is undone as a whole`() async throws {
    try await withServer { server in
      let user = try await server.database.makeUser(in: 1, annualBudget: 10)
      let requests = try [Server.request(8, for: user), Server.request(8, for: user)]
      let outcomes = try await server.credits.reserve(requests, allOrNothing: true)
      guard case .failure(.batchFailed) = outcomes[0], case .success(let refused) = outcomes[1]
      else {
        Issue.record("\(outcomes)")
        return
      }
      #expect(!refused.admission.isAdmitted)
      #expect(try await server.held(by: user) == 0)
      let trial = try await server.admin.setBudget(
        of: user, annualBudget: 99, monthlySoftLimit: nil, changedBy: "test", isTrial: true)
      #expect(trial.usage.annualBudget == 99)
      #expect(try await server.credits.usage(of: user).annualBudget == 10)
    }
  }

  @Test func `concurrent single changes of all users are answered`() async throws {
    try await withServer { server in
      var users: [UUID] = []
      for number in 0..<8 { users.append(try await server.database.makeUser(in: number % 2)) }
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for index in 0..<160 {
          group.addTask { [user = users[index % 8]] in try await server.reserve(1, for: user) }
        }
        for try await isAdmitted in group { #expect(isAdmitted) }
      }
      for user in users { #expect(try await server.held(by: user) == 20) }
    }
  }

  @Test func `reports and verification go over all partitions`() async throws {
    try await withServer { server in
      var users: [UUID] = []
      for number in 0..<7 {
        let user = try await server.database.makeUser(in: number % 2)
        users.append(user)
        #expect(try await server.reserve(Int32(10 * (number + 1)), for: user))
      }
      let query = UsageReportQuery(order: .held)
      var found: [UUID] = []
      var cursor: UsageReportPage.Cursor?
      repeat {
        let page = try await server.admin.usageReport(query, after: cursor, count: 3)
        #expect(page.totals.users == 7)
        #expect(page.totals.held == 280)
        found += page.users.map(\.userID)
        cursor = page.next
      } while cursor != nil
      #expect(found == users.reversed())

      var verified = 0
      var last: UUID?
      repeat {
        let step = try await server.admin.verify(after: last, count: 2)
        #expect(step.discrepancies == [])
        verified += step.users
        last = step.last
      } while last != nil
      #expect(verified == 7)
      #expect(try await server.admin.totals().held == 280)
      let version = try await server.admin.facts().schemaVersion
      #expect(version == Schema.migrations.last.map { Int32($0.version) })
    }
  }

  @Test func `a claim leases mockups of each partition in turn`() async throws {
    try await withServer { server in
      let store = MockupStore(pool: server.pool)
      for number in [0, 1] {
        let user = try await server.database.makeUser(in: number)
        let asset = UUID()
        try await server.database.partitions[number].owner.run(
          "INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
        _ = try await store.generate(
          GenerationRequest(
            userID: user, id: UUID(), assetIDs: [asset], scenes: ["bedroom"], skipsApproval: true,
            quoteID: nil, cost: MockupCost(credits: 1, timeToLive: .seconds(900))))
      }
      var users: Set<UUID> = []
      for _ in 0..<2 {
        let claimed = try await store.claim(worker: "w", count: 9, lease: .seconds(60))
        #expect(claimed.count == 1)
        users.formUnion(claimed.map(\.mockup.userID))
      }
      #expect(users.count == 2)
      #expect(try await store.claim(worker: "w", count: 9, lease: .seconds(60)).isEmpty)
    }
  }

  @Test func `a batch of pins and impressions of several partitions counts once`() async throws {
    try await withServer { server in
      let store = PerformanceStore(pool: server.pool)
      var entries: [PerformanceEntry] = []
      for number in [0, 1] {
        let user = try await server.database.makeUser(in: number)
        let mockup = UUID()
        try await server.database.partitions[number].owner.run(
          """
          WITH asset AS (INSERT INTO assets (user_id) VALUES ('\(user)') RETURNING id)
          INSERT INTO mockups (id, user_id, asset_id, scene, file_url, file_key)
          SELECT '\(mockup)', '\(user)', id, 'bedroom', '', '' FROM asset
          """)
        entries.append(
          PerformanceEntry(userID: user, mockupID: mockup, pins: 3, impressions: 5))
        entries.append(
          PerformanceEntry(userID: user, mockupID: mockup, pins: -1, impressions: 0))
      }
      let batch = PerformanceBatch(id: UUID(), entries: entries)
      let refused = [1, 3].map {
        PerformanceOutcome.Refused(index: $0, reason: .negative)
      }
      for isReplayed in [false, true] {
        #expect(
          try await store.record(batch)
            == .recorded(
              PerformanceOutcome(counted: 2, refused: refused, isReplayed: isReplayed)))
      }
      for partition in server.database.partitions {
        let pins = try await partition.withOwner { pool in
          try await pool.lines("SELECT sum(total_pins) FROM mockups")
        }
        #expect(pins == ["3"])
      }
    }
  }

  @Test func `a partition's error keeps its state and its constraint`() async throws {
    try await withServer { server in
      try await server.database.partitions[0].owner.run(
        """
        CREATE FUNCTION mockupd.collide(p_user_id uuid) RETURNS integer LANGUAGE plpgsql AS $$
        BEGIN
          RAISE unique_violation USING MESSAGE =
            'duplicate key value violates unique constraint "reservations_pkey"';
        END $$;
        """)
      try await server.database.proxy.owner.run(
        """
        CREATE FUNCTION mockupd.collide(p_user_id uuid) RETURNS integer LANGUAGE plproxy
        AS $$ CLUSTER 'mockupd'; RUN ON 0; $$
        """)
      let error = await #expect(throws: PostgresError.self) {
        try await server.pool.execute("SELECT mockupd.collide(NULL)")
      }
      #expect(error?.sqlState == .uniqueViolation)
      #expect(error?.constraint == "reservations_pkey")
    }
  }

  /// Other calls of the session would fail if it ended.
  @Test func `a read-only partition does not end the sessions with its proxy`() async throws {
    try await withServer { server in
      let users = [
        try await server.database.makeUser(in: 0), try await server.database.makeUser(in: 1),
      ]
      try await server.database.partitions[0].owner.run(
        """
        DO $$ BEGIN
          EXECUTE format(
            'ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
        END $$
        """)
      let configure = { (configuration: inout PostgresConfiguration) in
        configuration.connectionCount = 1
        configuration.targetSession = .readWrite
      }
      try await server.database.proxy.withPool(configure) { pool in
        let session = try await pool.lines("SELECT pg_backend_pid()")
        let credits = CreditStore(pool: pool)
        let error = await #expect(throws: CreditError.self) {
          try await credits.reserve(Server.request(1, for: users[0]))
        }
        guard case .database(let cause) = error, cause.sqlState == .readOnlyTransaction else {
          Issue.record("\(String(describing: error))")
          return
        }
        #expect(try await credits.reserve(Server.request(1, for: users[1])).admission.isAdmitted)
        #expect(try await pool.lines("SELECT pg_backend_pid()") == session)
      }
    }
  }

  @Test func `users of other partitions are served while one is unavailable`() async throws {
    try await withServer { server in
      let (absent, present) = (
        try await server.database.makeUser(in: 0), try await server.database.makeUser(in: 1)
      )
      try await server.database.proxy.owner.run(
        "ALTER SERVER mockupd OPTIONS (SET p0 'dbname=part0 host=/nonexistent')")
      let request = try Server.request(1, for: absent)
      let error = await #expect(throws: CreditError.self) {
        try await server.credits.reserve(request)
      }
      guard case .database(let cause) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(cause.code == .connectionUnavailable)
      #expect(try await server.reserve(1, for: present))
      #expect(try await server.held(by: present) == 1)
      // Work is found in the other partitions, but a report would be incomplete.
      let claimed = try await MockupStore(pool: server.pool).claim(
        worker: "w", count: 1, lease: .seconds(60))
      #expect(claimed.isEmpty)
      let swept = try await SweepStore(pool: server.pool).sweepReservations(limit: 10)
      #expect(swept.expired == 0)
      let check = try DatabaseCheck(configuration: server.database.proxy.service)
      #expect(await check.condition(on: server.pool) == .ready)
      #expect(await check.write(in: 0, on: server.pool) != .ready)
      #expect(await check.write(in: 1, on: server.pool) == .ready)
      await #expect(throws: CreditError.self) { try await server.admin.totals() }
    }
  }

  @Test func `the number of partitions cannot be changed`() async throws {
    try await withServer { server in
      let error = await #expect(throws: PostgresError.self) {
        try await server.database.makeProxy(over: [server.database.partitions[0].service])
      }
      #expect(error?.message == "the number of partitions cannot be changed")
      // The same statements can be run again.
      try await server.database.makeProxy(over: server.database.partitions.map(\.service))
    }
  }

  @Test func `the server accepts the proxy of its own schema`() async throws {
    try await withServer { server in
      let check = try DatabaseCheck(configuration: server.database.proxy.service)
      #expect(await check.condition(on: server.pool) == .ready)
    }
  }
}
