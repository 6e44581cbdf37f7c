public import FoundationEssentials
internal import MockupSchema
public import Postgres

/// A database with the schema for a single test, copied from a template that is migrated once.
///
/// `MOCKUPD_TEST_DATABASE_URL` has the URL of the PostgreSQL server, with a superuser;
/// `scripts/postgres url postgres` prints such a URL.
///
/// If `MOCKUPD_TEST_PARTITIONS` is 2 or 4, each test gets so many partitions behind a proxy instead
/// (``PartitionedDatabase``). The server's login then calls the proxy. Statements of
/// the owner run in the last partition, to which users belong unless a test chooses others with
/// ``makeUser(_:annualBudget:monthlySoftLimit:)`` or ``id(inPartition:from:)``. So a test needs
/// ``owner(of:)`` only if it has users of several partitions.
public struct MigratedDatabase: Sendable {
  /// The configuration for the owner, a superuser, in the last partition.
  public let owner: PostgresConfiguration
  /// The configuration for the login of mockupd, which owns nothing.
  public let service: PostgresConfiguration
  /// The configurations for the owner in each partition, in order; one if there are no partitions.
  public let owners: [PostgresConfiguration]
  let name: String

  /// The reason why there is no database to test with.
  public struct Failure: Error, CustomStringConvertible {
    /// The message for the person who runs the tests.
    public let description: String
  }

  /// Runs a closure with a new database, and drops it.
  public static func with<Value>(
    _ body: (MigratedDatabase) async throws -> Value
  ) async throws -> Value {
    guard partitionCount > 1 else { return try await withOne(body) }
    return try await PartitionedDatabase.with(partitionCount) { try await body($0.asOne) }
  }

  /// The number of partitions of each test's database; see the type.
  public static let partitionCount: Int = {
    let given = ProcessInfo.processInfo.environment["MOCKUPD_TEST_PARTITIONS"]
    return given.flatMap { Int($0) } ?? 1
  }()

  private static func withOne<Value>(
    _ body: (MigratedDatabase) async throws -> Value
  ) async throws -> Value {
    try await Turnstile.shared.with(1) {
      try await withCopy(of: try await Template.shared.name(), body)
    }
  }

  /// Runs a closure with a new database without a schema, and drops it.
  public static func withoutSchema<Value>(
    _ body: (MigratedDatabase) async throws -> Value
  ) async throws -> Value {
    // Making the template creates the login and the roles, which all databases share.
    _ = try await Template.shared.name()
    return try await Turnstile.shared.with(1) { try await withCopy(of: "template0", body) }
  }

  /// Runs a closure with several new databases and an empty one, and drops them.
  static func withSeveral<Value>(
    _ count: Int, _ body: ([MigratedDatabase], MigratedDatabase) async throws -> Value
  ) async throws -> Value {
    // A test takes all of its databases at once, so that two tests never wait for each other.
    try await Turnstile.shared.with(count + 1) {
      try await withCopies(count, [], of: try await Template.shared.name(), body)
    }
  }

  private static func withCopies<Value>(
    _ count: Int, _ made: [MigratedDatabase], of template: String,
    _ body: ([MigratedDatabase], MigratedDatabase) async throws -> Value
  ) async throws -> Value {
    guard made.count < count else {
      return try await withCopy(of: "template0") { try await body(made, $0) }
    }
    return try await withCopy(of: template) { copy in
      try await withCopies(count, made + [copy], of: template, body)
    }
  }

  private static func withCopy<Value>(
    of template: String, _ body: (MigratedDatabase) async throws -> Value
  ) async throws -> Value {
    let name = "test_\(UUID().uuidString.lowercased().filter { $0 != "-" })"
    let maintenance = try Template.configuration(of: "postgres")
    try await maintenance.run("CREATE DATABASE \(name) TEMPLATE \(template)")
    let result: Result<Value, any Error>
    do {
      let owner = try Template.configuration(of: name)
      result = .success(
        try await body(
          MigratedDatabase(
            owner: owner, service: try Template.configuration(of: name, user: Template.login),
            owners: [owner], name: name)))
    } catch {
      result = .failure(error)
    }
    try await maintenance.run("DROP DATABASE \(name) WITH (FORCE)")
    return try result.get()
  }

  /// Runs a closure with a pool of connections as the login of mockupd.
  public func withPool<Value>(
    _ configure: (inout PostgresConfiguration) -> Void = { _ in },
    _ body: (Pool) async throws -> Value
  ) async throws -> Value {
    var configuration = service
    configure(&configuration)
    return try await configuration.withPool(body)
  }

  /// Returns the configuration for another login.
  public func configuration(as login: String) throws -> PostgresConfiguration {
    try Template.configuration(of: name, user: login)
  }

  /// Runs a closure with a pool of connections as the owner.
  public func withOwner<Value>(_ body: (Pool) async throws -> Value) async throws -> Value {
    try await owner.withPool(body)
  }

  /// Returns an id for a user of a partition.
  ///
  /// - Parameters:
  ///   - number: The number of the partition, of which the remainder counts; nil for the last one.
  ///   - id: The id from which all but the number of the partition is taken.
  public func id(inPartition number: Int? = nil, from id: UUID = UUID()) -> UUID {
    var bytes = id.uuid
    let mask = UInt8(owners.count - 1)
    bytes.15 = bytes.15 & ~mask | UInt8(number ?? owners.count - 1) & mask
    return UUID(uuid: bytes)
  }

  /// Returns the number of the partition of a user.
  public func partition(of userID: UUID) -> Int { Int(userID.uuid.15) % owners.count }

  /// Returns the configuration for the owner in the partition of a user.
  public func owner(of userID: UUID) -> PostgresConfiguration { owners[partition(of: userID)] }

  /// Creates a user; without a budget or soft limit, the defaults apply.
  ///
  /// - Parameter id: The user's id, which decides the partition; nil for one of the last partition.
  public func makeUser(
    _ id: UUID? = nil, annualBudget: Int? = nil, monthlySoftLimit: Int? = nil
  ) async throws -> UUID {
    let id = id ?? self.id()
    var guardrails: [String] = []
    if let annualBudget { guardrails.append("\"annual_mockup_budget\": \(annualBudget)") }
    if let monthlySoftLimit {
      guardrails.append("\"monthly_mockup_soft_limit\": \(monthlySoftLimit)")
    }
    try await owner(of: id).run(
      """
      WITH made AS (INSERT INTO auth.users (id) VALUES ('\(id)') RETURNING id)
      INSERT INTO public.user_settings (user_id, guardrails)
      SELECT id, '{\(guardrails.joined(separator: ", "))}' FROM made
      """)
    return id
  }

  /// Moves the expiry of a reservation, or of all reservations, to a minute ago.
  public func expireReservations(_ id: String? = nil) async throws {
    for owner in owners {
      try await owner.run(
        """
        WITH moved AS (
          UPDATE mockupd.reservations
          SET expires_at = now() - interval '1 min'
          \(id.map { "WHERE id = '\($0)'" } ?? "")
          RETURNING user_id, year, expires_at
        )
        UPDATE mockupd.credit_counters AS c SET due_at = moved.expires_at
        FROM moved WHERE c.user_id = moved.user_id AND c.year = moved.year
        """)
    }
  }

  /// Returns the discrepancies that the verifier finds; empty if ledger and balances are right.
  public func discrepancies() async throws -> [String] {
    var found: [String] = []
    for owner in owners {
      found += try await owner.withPool { pool in
        try await pool.query("SELECT discrepancy FROM mockupd.verify_counters()") {
          row throws(PostgresError) in
          try row.decode(String.self, at: 0)
        }
      }
    }
    return found
  }
}

extension PostgresConfiguration {
  /// Runs a closure with a pool, and closes it.
  public func withPool<Value>(_ body: (Pool) async throws -> Value) async throws -> Value {
    let pool = try Pool(configuration: self)
    let running = Task { await pool.run() }
    let result: Result<Value, any Error>
    do {
      try await pool.waitUntilConnected(timeout: testTimeout)
      result = .success(try await body(pool))
    } catch {
      result = .failure(error)
    }
    pool.shutdown()
    await running.value
    return try result.get()
  }

  /// Runs a statement on a new connection.
  public func run(_ sql: String) async throws {
    var configuration = self
    configuration.connectionCount = 1
    _ = try await configuration.withPool { pool in try await pool.execute(Statement(sql)) }
  }
}

/// A limit on the number of databases, since PostgreSQL has a maximum of connections.
private actor Turnstile {
  static let shared = Turnstile(slots: 8)

  private var slots: Int
  private var waiting: [(slots: Int, continuation: CheckedContinuation<Void, Never>)] = []

  init(slots: Int) {
    self.slots = slots
  }

  /// Runs a closure with a number of slots; in the order of the calls, so that none starves.
  nonisolated func with<Value>(
    _ count: Int, _ body: () async throws -> Value
  ) async throws -> Value {
    await enter(count)
    let result: Result<Value, any Error>
    do {
      result = .success(try await body())
    } catch {
      result = .failure(error)
    }
    await leave(count)
    return try result.get()
  }

  private func enter(_ count: Int) async {
    guard !waiting.isEmpty || slots < count else {
      slots -= count
      return
    }
    await withCheckedContinuation { waiting.append((count, $0)) }
  }

  private func leave(_ count: Int) {
    slots += count
    while let next = waiting.first, next.slots <= slots {
      slots -= next.slots
      waiting.removeFirst().continuation.resume()
    }
  }
}

/// The migrated database from which the databases of the tests are copied.
///
/// It is kept for the next run, under a name that derives from the migrations.
private actor Template {
  static let shared = Template()
  static let login = "mockupd_test"

  private var made: Task<String, any Error>?

  func name() async throws -> String {
    if let made { return try await made.value }
    let task = Task { try await Self.make() }
    made = task
    return try await task.value
  }

  private static func make() async throws -> String {
    let name = "template_\(fingerprint)"
    let maintenance = try configuration(of: "postgres")
    let exists = try await maintenance.withPool { pool in
      try await pool.query(
        "SELECT true FROM pg_database WHERE datname = $1", Parameters(name)
      ) { row throws(PostgresError) in
        try row.decode(Bool.self, at: 0)
      }
    }
    if !exists.isEmpty { return name }

    let unfinished = "unfinished_\(UUID().uuidString.lowercased().filter { $0 != "-" })"
    try await maintenance.run("CREATE DATABASE \(unfinished)")
    let migrator = try Schema.migrator(configuration: try configuration(of: unfinished))
    _ = try await migrator.migrate()
    try await maintenance.run(
      """
      DO $$
      BEGIN
        CREATE ROLE \(login) LOGIN;
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
      END
      $$
      """)
    try await maintenance.run("GRANT mockupd_service TO \(login)")
    try await maintenance.run("ALTER DATABASE \(unfinished) RENAME TO \(name)")
    return name
  }

  /// The FNV-1a hash of the migrations.
  private static var fingerprint: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    let texts =
      Schema.migrations.map { "\($0.version) \($0.sql)" }
      + ["revision \(Schema.functions.revision)"]
      + Schema.functions.migrations.map { "\($0.name) \($0.sql)" }
    for byte in texts.joined(separator: "\n").utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    return String(hash, radix: 16)
  }

  static func configuration(
    of database: String, user: String? = nil
  ) throws -> PostgresConfiguration {
    let variable = "MOCKUPD_TEST_DATABASE_URL"
    guard let url = ProcessInfo.processInfo.environment[variable] else {
      throw MigratedDatabase.Failure(
        description: "\(variable) is not set; run scripts/test, or scripts/postgres start and url")
    }
    guard var components = URLComponents(string: url) else {
      throw MigratedDatabase.Failure(description: "\(variable) is not a valid URL")
    }
    components.path = "/\(database)"
    if let user {
      var items = (components.queryItems ?? []).filter { $0.name != "user" }
      items.append(URLQueryItem(name: "user", value: user))
      components.queryItems = items
    }
    var configuration = PostgresConfiguration(
      url: components.string ?? url, applicationName: "mockupd-tests")
    // Connections are what most tests spend their time on, and an owner rarely needs two.
    if user == nil { configuration.connectionCount = 1 }
    return configuration
  }
}
