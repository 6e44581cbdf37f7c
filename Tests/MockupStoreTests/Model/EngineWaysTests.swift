import FoundationEssentials
import Mockups
import Postgres
import TestSupport
import Testing

/// The engine says its rules twice: for a batch as a set, and request by request. Random batches are decided
/// in both ways, and with a call for each request, from the same books: answers and books are the same.
///
/// Repeat a failure with `MOCKUPD_TEST_SEED=<seed> swift test`.
@Suite struct EngineWaysTests {
  @Test(arguments: 0..<4 as Range<UInt64>)
  func aBatchIsDecidedAsItsRequestsAreOneByOne(number: UInt64) async throws {
    let rerun: Comment = "\(TestSeed.variable)=\(TestSeed.value), sequence \(number)"
    try await Books.with(at: "2025-12-31T23:50:00Z") { books in
      try await books.owner.withTransaction { transaction throws(PostgresError) in
        try await transaction.runScript(EngineWays.functions)
      }
      var batches = RandomBatches(
        books: books, random: SplitMix64(state: TestSeed.value &+ number))
      for budget in [20, 60, 3500, nil] { try await batches.addUser(budget: budget) }
      var loops: [String: Int] = [:]
      for step in 0..<200 {
        let (function, parameters) = try batches.next()
        let ways = try await EngineWays(of: function, parameters, in: books.owner)
        guard ways.together == ways.inOrder, ways.together == ways.apart else {
          Issue.record("step \(step), \(function): \(ways.difference); \(rerun)")
          return
        }
        loops[ways.tookLoop ? "\(function), in order" : function, default: 0] += 1
      }
      // Otherwise one of the ways would be compared with itself.
      for way in ["reserve", "reserve, in order", "settle", "settle, in order"] {
        #expect(loops[way, default: 0] > 4, "\(way); \(rerun)")
      }
    }
  }
}

/// What becomes of one batch, in three ways from the same books: every answer, and then every row.
struct EngineWays {
  /// In one call, as a server makes it. The other ways are undone.
  var together: [String]
  /// In one call that decides request by request.
  var inOrder: [String]
  /// With a call for each request.
  var apart: [String]
  /// Whether sending it together came to deciding request by request, at least for some user.
  var tookLoop: Bool

  init(of function: String, _ parameters: Parameters, in pool: Pool) async throws {
    let places = (1...parameters.count).map { "$\($0)" }.joined(separator: ", ")
    let rows = try await pool.query(
      Statement("SELECT * FROM ways.\(function)(\(places))"), parameters
    ) { row throws(PostgresError) in
      try (
        row.decode([String].self, at: 0), row.decode([String].self, at: 1),
        row.decode([String].self, at: 2), row.decode(Bool.self, at: 3)
      )
    }
    (together, inOrder, apart, tookLoop) = try #require(rows.first)
  }

  /// The first line in which one differs.
  var difference: String {
    for (name, other) in [("in order", inOrder), ("apart", apart)] {
      for (ours, theirs) in zip(together, other) where ours != theirs {
        return "together\n\(ours)\n\(name)\n\(theirs)"
      }
    }
    return "\(together.count), \(inOrder.count) and \(apart.count) lines"
  }

  /// In a schema of its own.
  static let functions = """
    CREATE SCHEMA ways;

    -- Every row. What is due is expired first, and that undone: a batch may do it for more users than
    -- its requests by themselves, and to nobody does it make a difference.
    CREATE FUNCTION ways.books(p_now timestamptz) RETURNS text[] LANGUAGE plpgsql AS $$
    DECLARE
      v_books text[];
    BEGIN
      PERFORM ways.expire_due(p_now, array_agg(c.user_id), array_agg(c.year))
      FROM mockupd.credit_counters AS c;
      SELECT array_agg(line ORDER BY line) INTO v_books FROM (
        SELECT 'reservation ' || r::text FROM mockupd.reservations AS r
        UNION ALL SELECT 'commit ' || c::text FROM mockupd.commits AS c
        UNION ALL SELECT 'entry ' || e::text FROM public.mockup_credit_usage AS e
        -- It may be early, more or less; that it is not late, the verifier says.
        UNION ALL SELECT 'counters ' || (to_jsonb(c) - 'due_at')::text
        FROM mockupd.credit_counters AS c
      ) AS line (line);
      RAISE SQLSTATE 'UNDO1';
    EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
      RETURN v_books;
    END
    $$;

    CREATE FUNCTION ways.calls(p_function text) RETURNS bigint LANGUAGE sql AS $$
      SELECT coalesce(sum(pg_stat_get_xact_function_calls(p.oid)), 0) FROM pg_proc AS p
      WHERE p.pronamespace = 'mockupd'::regnamespace AND p.proname = p_function
    $$;

    CREATE FUNCTION ways.expire_due(p_now timestamptz, p_user_ids uuid[], p_years integer[])
    RETURNS void LANGUAGE sql AS $$
      SELECT mockupd.expire_due(p_now, array_agg(c.user_id), array_agg(c.year))
      FROM mockupd.credit_counters AS c
      WHERE c.user_id = ANY (p_user_ids) AND c.year = ANY (p_years) AND c.due_at <= p_now
    $$;

    CREATE FUNCTION ways.reserve(
      p_now timestamptz, p_user_ids uuid[], p_ids uuid[], p_credits integer[], p_operations text[],
      p_times_to_live integer[], p_mockup_ids uuid[], p_group_ids uuid[], p_modes text[],
      OUT together text[], OUT in_order text[], OUT apart text[], OUT took_loop boolean
    ) LANGUAGE plpgsql SET track_functions = 'pl' AS $$
    DECLARE
      v_year integer := extract(year FROM p_now AT TIME ZONE 'UTC');
      v_users uuid[] := ARRAY(SELECT u.id FROM auth.users AS u WHERE u.id = ANY (p_user_ids));
      v_calls bigint;
    BEGIN
      BEGIN
        FOR i IN 1 .. cardinality(p_ids) LOOP
          apart := apart || (
            SELECT i || (r.outcome, r.replayed, r.granted, r.reserved_at, r.usage)::text
            FROM mockupd.reserve(
              p_now, p_user_ids[i:i], p_ids[i:i], p_credits[i:i], p_operations[i:i],
              p_times_to_live[i:i], p_mockup_ids[i:i], p_group_ids[i:i], p_modes[i:i]) AS r);
        END LOOP;
        apart := apart || ways.books(p_now);
        RAISE SQLSTATE 'UNDO1';
      EXCEPTION WHEN SQLSTATE 'UNDO1' THEN NULL;
      END;
      BEGIN
        INSERT INTO mockupd.credit_counters (user_id, year) SELECT u, v_year FROM unnest(v_users) AS u
        ON CONFLICT DO NOTHING;
        PERFORM ways.expire_due(p_now, v_users, ARRAY[v_year]);
        in_order := ARRAY(
          SELECT r.ordinal || (r.outcome, r.replayed, r.granted, r.reserved_at, r.usage)::text
          FROM mockupd.reserve_in_order(
            v_users, '{}', p_now, p_user_ids, p_ids, p_credits, p_operations, p_times_to_live,
            p_mockup_ids, p_group_ids, p_modes) AS r
          ORDER BY r.ordinal) || ways.books(p_now);
        RAISE SQLSTATE 'UNDO1';
      EXCEPTION WHEN SQLSTATE 'UNDO1' THEN NULL;
      END;
      v_calls := ways.calls('reserve_in_order');
      together := ARRAY(
        SELECT r.ordinal || (r.outcome, r.replayed, r.granted, r.reserved_at, r.usage)::text
        FROM mockupd.reserve(
          p_now, p_user_ids, p_ids, p_credits, p_operations, p_times_to_live, p_mockup_ids,
          p_group_ids, p_modes) AS r
        ORDER BY r.ordinal) || ways.books(p_now);
      took_loop := ways.calls('reserve_in_order') > v_calls;
    END
    $$;

    CREATE FUNCTION ways.settle(
      p_now timestamptz, p_user_ids uuid[], p_ids uuid[], p_actions text[], p_commit_ids uuid[],
      p_credits integer[], p_finals boolean[], p_allow_overruns boolean[], p_times_to_live integer[],
      p_entry_ids uuid[],
      OUT together text[], OUT in_order text[], OUT apart text[], OUT took_loop boolean
    ) LANGUAGE plpgsql SET track_functions = 'pl' AS $$
    DECLARE
      v_years integer[] := ARRAY(
        SELECT r.year
        FROM unnest(p_user_ids, p_ids) WITH ORDINALITY AS i (user_id, id, ordinal)
        LEFT JOIN mockupd.reservations AS r ON r.user_id = i.user_id AND r.id = i.id
        ORDER BY i.ordinal);
      v_calls bigint;
    BEGIN
      BEGIN
        FOR i IN 1 .. cardinality(p_ids) LOOP
          apart := apart || (
            SELECT i || (s.outcome, s.replayed, s.reservation, s.usage, s.charged, s.overrun,
              s.released, s.late)::text
            FROM mockupd.settle(
              p_now, p_user_ids[i:i], p_ids[i:i], p_actions[i:i], p_commit_ids[i:i], p_credits[i:i],
              p_finals[i:i], p_allow_overruns[i:i], p_times_to_live[i:i], p_entry_ids[i:i]) AS s);
        END LOOP;
        apart := apart || ways.books(p_now);
        RAISE SQLSTATE 'UNDO1';
      EXCEPTION WHEN SQLSTATE 'UNDO1' THEN NULL;
      END;
      BEGIN
        PERFORM ways.expire_due(p_now, p_user_ids, v_years);
        in_order := ARRAY(
          SELECT s.ordinal || (s.outcome, s.replayed, s.reservation, s.usage, s.charged, s.overrun,
            s.released, s.late)::text
          FROM mockupd.settle_in_order(
            v_years, '{}', p_now, p_user_ids, p_ids, p_actions, p_commit_ids, p_credits, p_finals,
            p_allow_overruns, p_times_to_live, p_entry_ids) AS s
          ORDER BY s.ordinal) || ways.books(p_now);
        RAISE SQLSTATE 'UNDO1';
      EXCEPTION WHEN SQLSTATE 'UNDO1' THEN NULL;
      END;
      v_calls := ways.calls('settle_in_order');
      together := ARRAY(
        SELECT s.ordinal || (s.outcome, s.replayed, s.reservation, s.usage, s.charged, s.overrun,
          s.released, s.late)::text
        FROM mockupd.settle(
          p_now, p_user_ids, p_ids, p_actions, p_commit_ids, p_credits, p_finals, p_allow_overruns,
          p_times_to_live, p_entry_ids) AS s
        ORDER BY s.ordinal) || ways.books(p_now);
      took_loop := ways.calls('settle_in_order') > v_calls;
    END
    $$;
    """
}

/// Makes up batches, of a few users who meet their limits, their own requests of before, and a new year.
struct RandomBatches {
  let books: Books
  var random: SplitMix64
  private var users: [UUID] = []
  private var mockups: [UUID] = []
  private var requests: [Request] = []
  /// Those that most likely are open.
  private var fresh: [Request] = []
  private var commitIDs: [UUID] = []

  private struct Request {
    var user: UUID
    var id: UUID
    var credits: Int32
    var operation: String
    var timeToLive: Int32
    var mockup: UUID?
    var group: UUID?
    var mode: String
  }

  init(books: Books, random: SplitMix64) {
    self.books = books
    self.random = random
    commitIDs = [UUID(using: &self.random), UUID(using: &self.random)]
  }

  mutating func addUser(budget: Int?) async throws {
    let user = try await books.database.makeUser(
      UUID(using: &random), annualBudget: budget)
    users.append(user)
    mockups.append(try await books.mockup(of: user))
  }

  /// The next batch, as its function takes it.
  mutating func next() throws -> (function: String, Parameters) {
    books.clock.advance(by: Int64(choice(20)))
    return choice(2) == 0 || requests.isEmpty ? ("reserve", reserve()) : ("settle", settle())
  }

  private mutating func choice(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

  private mutating func one<Elements: RandomAccessCollection>(
    of elements: Elements
  ) -> Elements.Element {
    elements[elements.index(elements.startIndex, offsetBy: choice(elements.count))]
  }

  private mutating func request(isPlain: Bool, after earlier: [Request]) -> Request {
    if !isPlain, !earlier.isEmpty, choice(4) == 0 {
      var request = one(of: earlier)
      if choice(3) == 0 { request.credits += 1 }
      return request
    }
    let isStrange = !isPlain && choice(10) == 0
    return Request(
      // The last two have much.
      user: isStrange ? UUID(using: &random) : one(of: users.suffix(isPlain ? 2 : 4)),
      id: UUID(using: &random),
      credits: Int32(1 + choice(isPlain ? 3 : 9)),
      operation: one(of: ["generation", "regeneration"]),
      timeToLive: Int32((isPlain ? 200 : 1) + choice(200)),
      mockup: choice(8) == 0 ? one(of: mockups) : nil,
      group: choice(8) == 0 ? commitIDs[0] : nil, mode: one(of: ["normal", "best_effort"]))
  }

  private mutating func reserve() -> Parameters {
    let isPlain = choice(2) == 0
    var batch: [Request] = []
    for _ in 0...choice(8) {
      let earlier = choice(3) == 0 ? batch : requests
      batch.append(request(isPlain: isPlain, after: earlier))
    }
    requests += batch
    if isPlain { fresh += batch }
    return Parameters(
      books.clock.now, batch.map(\.user), batch.map(\.id), batch.map(\.credits),
      batch.map(\.operation), batch.map(\.timeToLive), batch.map(\.mockup), batch.map(\.group),
      batch.map(\.mode))
  }

  private mutating func settle() -> Parameters {
    let isPlain = choice(2) == 0 && !fresh.isEmpty
    var batch: [Request] = []
    for _ in 0...choice(8) {
      if !isPlain {
        batch.append(one(of: requests.suffix(choice(4) == 0 ? requests.count : 12)))
      } else if let last = fresh.popLast() {
        batch.append(last)
      }
    }
    batch.shuffle(using: &random)
    let actions = batch.map { _ in
      one(of: ["commit", "commit", "commit", "release", "dispatch", "extend"])
    }
    func ofCommit<Value>(_ value: () -> Value?) -> [Value?] {
      actions.map { $0 == "commit" ? value() : nil }
    }
    return Parameters(
      books.clock.now, batch.map(\.user), batch.map(\.id), actions,
      ofCommit { isPlain ? UUID(using: &random) : one(of: commitIDs) },
      ofCommit { isPlain ? one(of: [nil, 1]) : one(of: [nil, 0, 1, 2, 3, 7] as [Int32?]) },
      ofCommit { isPlain || choice(2) == 0 }, ofCommit { !isPlain && choice(3) == 0 },
      actions.map { action in
        action == "extend" || action == "dispatch" && choice(2) == 0 ? Int32(1 + choice(200)) : nil
      },
      batch.map { _ in UUID(using: &random) })
  }
}
