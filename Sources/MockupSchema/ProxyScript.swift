public import Postgres

/// The SQL of a proxy database, which passes each call of the server on to the partition of its
/// user, with PL/Proxy.
///
/// A partition is a database with the ordinary schema. The last byte of a user's id decides to
/// which partition the user belongs.
public struct ProxyScript: Sendable {
  /// The possible numbers of partitions, each a power of two.
  public static let partitionCounts = [1, 2, 4, 8, 16]

  /// The functions whose results in several partitions are merged (`SQL/Partitions`).
  static let mergedFunctions = [
    "credit_totals", "database_facts", "export_ledger", "find_users",
    "list_unresolved_reservations", "usage_report_page", "verify_counters", "verify_users",
  ]

  /// The statements, which may be run again at any time.
  ///
  /// They change the addresses of the partitions, and create all functions again if the schema has
  /// changed. They include the password of the partitions' login.
  public let text: String

  /// The reason why a list of partitions has no proxy.
  public struct Failure: Error, Hashable, CustomStringConvertible {
    /// The message for people.
    public let description: String
    /// The number of the partition that the failure is about; nil if it is about several.
    public let partition: Int?

    init(_ description: String, partition: Int? = nil) {
      self.description = description
      self.partition = partition
    }
  }

  /// Reads the schema of the partitions, and makes the script.
  ///
  /// - Parameter partitions: The configurations of the server's login in each partition, in order.
  ///   The logins have the same name and password. The proxy's connections have the settings and
  ///   the limits of the configurations, unless the URL sets others.
  /// - Throws: ``Failure`` if the partitions are not suitable, or if one cannot be read.
  public init(partitions: [PostgresConfiguration]) async throws(Failure) {
    guard Self.partitionCounts.contains(partitions.count) else {
      throw Failure("the number of partitions must be 1, 2, 4, 8 or 16, not \(partitions.count)")
    }
    var addresses: [PartitionAddress] = []
    for (number, partition) in partitions.enumerated() {
      addresses.append(try PartitionAddress(partition, number: number))
    }
    guard let login = addresses.first?.login, addresses.allSatisfy({ $0.login == login }) else {
      throw Failure("the URLs of all partitions must have the same user and password")
    }
    for (number, address) in addresses.enumerated()
    where addresses.prefix(number).contains(where: { $0.text == address.text }) {
      throw Failure("two partitions have the same URL", partition: number)
    }
    var objects: [String] = []
    for (number, partition) in partitions.enumerated() {
      let found = try await Self.objects(of: partition, number: number)
      if number == 0 { objects = found }
      guard found == objects else {
        throw Failure(
          "partition \(number) has other functions than partition 0", partition: number)
      }
    }
    text = Self.text(addresses: addresses.map(\.text), login: login, objects: objects)
  }

  /// Returns the statements that create the objects that correspond to those of a partition.
  private static func objects(
    of partition: PostgresConfiguration, number: Int
  ) async throws(Failure) -> [String] {
    // The schema can be read from a standby, too, and while the partition is read-only.
    var partition = partition
    partition.targetSession = .any
    let connection: Connection
    let migrator: Migrator
    do {
      connection = try Connection(configuration: partition)
      migrator = try Schema.migrator(configuration: partition)
    } catch {
      throw failure(error, number)
    }
    connection.start()
    let result: Result<[String], any Error>
    do {
      guard try await migrator.status(on: connection).pending.isEmpty else {
        throw Failure(
          "partition \(number) does not have this program's schema; run `mockupd migrate`",
          partition: number)
      }
      result = .success(
        try await lines(PackageResources.proxy_record_sql, Parameters(), on: connection)
          + lines(
            PackageResources.proxy_objects_sql, Parameters(mergedFunctions), on: connection))
    } catch {
      result = .failure(error)
    }
    await connection.close()
    do {
      return try result.get()
    } catch {
      throw failure(error, number)
    }
  }

  private static func failure(_ error: any Error, _ number: Int) -> Failure {
    switch error {
    case let error as Failure: error
    case let error as MigrationError: Failure(error.report, partition: number)
    case let error as PostgresError: Failure(error.report, partition: number)
    default: Failure("\(error)", partition: number)
    }
  }

  private static func lines(
    _ sql: [UInt8], _ parameters: Parameters, on connection: Connection
  ) async throws(PostgresError) -> [String] {
    let statement = Statement(String(decoding: sql, as: UTF8.self))
    return try await connection.query(statement, parameters) { row throws(PostgresError) in
      try row.decode(String.self, at: 0)
    }
  }

  private static func text(
    addresses: [String], login: PartitionAddress.Login, objects: [String]
  ) -> String {
    func file(_ sql: [UInt8]) -> String { String(decoding: sql, as: UTF8.self) }
    let definition =
      ([file(PackageResources.proxy_functions_sql)] + objects
      + [file(PackageResources.proxy_merges_sql)])
      .joined(separator: "\n")
    func options(_ action: String) -> String {
      addresses.enumerated().map { number, address in
        "\(action)p\(number) \(PartitionAddress.literal(address))"
      }.joined(separator: ",\n      ")
    }
    return file(PackageResources.proxy_sql)
      .replacing("OPTIONS_TO_CREATE", with: options(""))
      .replacing("OPTIONS_TO_SET", with: options("SET "))
      .replacing("USER_MAPPING", with: login.options)
      .replacing("DEFINITION", with: "$mockupd_proxy$\n\(definition)\n$mockupd_proxy$")
      .replacing("PARTITION_COUNT", with: "\(addresses.count)")
  }
}

/// The address of a partition, as PL/Proxy needs it.
struct PartitionAddress {
  /// The login in the partition, which PL/Proxy reads from a user mapping.
  struct Login: Equatable {
    var user: String
    var password: String?

    /// The options of the user mapping.
    var options: String {
      "user \(PartitionAddress.literal(user))"
        + (password.map { ", password \(PartitionAddress.literal($0))" } ?? "")
    }
  }

  /// The connection string without the login, in libpq's `keyword=value` form.
  let text: String
  let login: Login

  init(_ configuration: PostgresConfiguration, number: Int) throws(ProxyScript.Failure) {
    var values: [String: String]
    do {
      values = try configuration.urlParameters()
    } catch {
      throw ProxyScript.Failure(error.report, partition: number)
    }
    guard let user = values.removeValue(forKey: "user") else {
      throw ProxyScript.Failure("the URL of a partition must name the user", partition: number)
    }
    login = Login(user: user, password: values.removeValue(forKey: "password"))
    // PL/Proxy passes no setting of the server's sessions on.
    var defaults = configuration.connectionParameters
    // A partition with one host answers reads even while it is read-only.
    let hasSeveralHosts = ["host", "hostaddr"].contains { values[$0]?.contains(",") ?? false }
    if configuration.targetSession == .readWrite, hasSeveralHosts {
      defaults["target_session_attrs"] = PostgresConfiguration.TargetSession.readWrite.rawValue
    }
    let settings = configuration.settings.map { "-c \($0.name)=\($0.value)" }
    if !settings.isEmpty { defaults["options"] = settings.joined(separator: " ") }
    text = values.merging(defaults) { given, _ in given }
      .sorted { $0.key < $1.key }
      .map { "\($0)='\($1.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'" }
      .joined(separator: " ")
  }

  /// Returns a text as a literal of SQL.
  static func literal(_ text: String) -> String {
    let quoted = "'\(text.replacing("'", with: "''"))'"
    return text.contains("\\") ? "E\(quoted.replacing("\\", with: "\\\\"))" : quoted
  }
}
