/// The address of a database and the limits of the connections to it.
public struct PostgresConfiguration: Sendable {
  /// The database URL, or libpq's `keyword=value …` form: `postgresql:///db?host=/run/postgresql`.
  ///
  /// The session's `client_encoding` is always UTF8, its `TimeZone` always UTC and its
  /// `client_min_messages` always `notice`. `options` are sent only if the URL has them, because
  /// most poolers reject them.
  public var url: String

  /// The name that `pg_stat_activity` shows for the connections.
  public var applicationName: String

  /// The timeout of an attempt to connect to one host, for which statements wait.
  ///
  /// A URL may name several hosts. They are tried in order, beginning with the one that worked
  /// last.
  public var connectTimeout: Duration = .seconds(5)

  /// The kind of session that a host must offer; any other is closed, and the next host tried.
  ///
  /// The URL's own `target_session_attrs` applies as well.
  public var targetSession: TargetSession = .any

  /// A kind of session.
  public enum TargetSession: String, Sendable, CaseIterable {
    /// A session that can write: not on a standby, and not read-only by default.
    case readWrite = "read-write"
    /// Any session.
    case any
  }

  /// The time after which TCP closes a connection whose peer has not acknowledged what was sent;
  /// the URL's own `tcp_user_timeout` takes precedence.
  ///
  /// Together with ``keepalives``, this detects a host that has vanished. Unix sockets ignore both.
  public var tcpUserTimeout: Duration = .seconds(10)

  /// The probes of an idle TCP connection, as of one that waits for the result of a statement.
  ///
  /// The URL's own `keepalives_idle`, `keepalives_interval` and `keepalives_count` take precedence.
  public var keepalives = Keepalives()

  /// The probes that TCP sends over an idle connection.
  public struct Keepalives: Sendable, Hashable {
    /// The time without traffic before the first probe, in whole seconds.
    public var idle: Duration = .seconds(4)
    /// The time between two probes, in whole seconds.
    public var interval: Duration = .seconds(2)
    /// The number of unanswered probes after which the connection is closed.
    public var count = 3

    /// Creates probes that detect a vanished host in 10 seconds.
    public init() {}
  }

  /// The `synchronous_commit` of each session; nil for the server's default.
  public var synchronousCommit: String?

  /// The `statement_timeout` of each session: zero for no limit, nil for the server's default.
  public var statementTimeout: Duration?

  /// The `lock_timeout` of each session: how long a statement waits for a lock before it fails with
  /// SQLSTATE 55P03; nil for the server's default.
  ///
  /// If it is set, a ``Pool`` has one more connection, ``Pool/apart``.
  public var lockTimeout: Duration?

  /// The session's `search_path`, in which unqualified names are looked up; nil for the server's
  /// default.
  ///
  /// The default path usually has schemas in which other logins may create functions and operators.
  /// If the parameter types of such a function match a call better than those of the built-in
  /// function, PostgreSQL calls it with this login's privileges. `pg_catalog, pg_temp` prevents
  /// that.
  public var searchPath: String?

  /// The number of connections in a ``Pool``.
  public var connectionCount = 4

  /// The maximum number of statements that may be pending (queued or in flight) on one connection.
  ///
  /// A transaction counts as one. The same limit applies to the statements within a transaction.
  public var maximumPending = 1024

  /// The maximum number of statements in flight on one connection.
  public var maximumInFlight = 256

  /// The maximum number of prepared statements of one connection; further ones are parsed each
  /// time.
  public var maximumPrepared = 1000

  /// The pause after the first failed attempt to connect.
  ///
  /// The pause doubles with each failure. A random part of it, up to half, is left out so that many
  /// programs do not reconnect at the same time.
  public var minimumBackoff: Duration = .milliseconds(100)

  /// The longest pause between two attempts to connect.
  public var maximumBackoff: Duration = .seconds(1)

  /// The time that ``Pool/run()`` waits for pending statements when it ends.
  public var shutdownTimeout: Duration = .seconds(10)

  /// The host that worked last, which the copies of a configuration share.
  var hostPreference = HostPreference()

  /// Returns the random part of a pause, in `0..<1`; tests replace it.
  public var randomFraction: @Sendable () -> Double = { Double.random(in: 0..<1) }

  /// Creates a configuration with the default values above.
  public init(url: String, applicationName: String) {
    self.url = url
    self.applicationName = applicationName
  }

  /// Returns true if libpq can parse the URL; nothing is connected.
  public static func accepts(url: String) -> Bool {
    (try? ConnectionString(parsing: url)) != nil
  }

  /// The number of hosts that the URL names; 1 if it cannot be parsed.
  public var hostCount: Int { (try? ConnectionString(parsing: url))?.hosts.count ?? 1 }

  /// Returns the parameters that the URL sets, by libpq's keywords.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/invalidConfiguration``.
  public func urlParameters() throws(PostgresError) -> [String: String] {
    try ConnectionString(parsing: url).values
  }

  /// Returns a configuration for another URL of the same database.
  public func replacingURL(_ url: String) -> PostgresConfiguration {
    guard url != self.url else { return self }
    var configuration = self
    configuration.url = url
    configuration.hostPreference = HostPreference()
    return configuration
  }

  /// Returns the libpq parameters of the connections.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/invalidConfiguration``.
  func connectionString() throws(PostgresError) -> ConnectionString {
    guard connectionCount > 0, maximumPending > 0, maximumInFlight > 0 else {
      throw PostgresError(
        .invalidConfiguration,
        "connectionCount, maximumPending and maximumInFlight must be greater than 0"
      )
    }
    guard connectTimeout > .zero, minimumBackoff > .zero, maximumBackoff >= minimumBackoff else {
      throw PostgresError(
        .invalidConfiguration,
        "connectTimeout and minimumBackoff must be greater than 0, "
          + "and maximumBackoff must not be less than minimumBackoff"
      )
    }
    var string = try ConnectionString(parsing: url)
    for (keyword, value) in connectionParameters { string.setDefault(keyword, value) }
    string.set("application_name", applicationName)
    string.set("client_encoding", "UTF8")
    return string
  }

  /// The libpq parameters of the connections, by keyword, for a URL that does not set them.
  public var connectionParameters: [String: String] {
    [
      "application_name": applicationName,
      "connect_timeout": String(max(connectTimeout.components.seconds, 1)),
      "tcp_user_timeout": Self.milliseconds(tcpUserTimeout),
      "keepalives_idle": String(keepalives.idle.components.seconds),
      "keepalives_interval": String(keepalives.interval.components.seconds),
      "keepalives_count": String(keepalives.count),
    ]
  }

  /// The settings of each session.
  var sessionSettings: [(name: String, value: String)] {
    // A warning is the only sign that a commit was not replicated; see ``ServerFields``.
    var settings = [
      (name: "TimeZone", value: "UTC"), (name: "client_min_messages", value: "notice"),
    ]
    if let searchPath { settings.append((name: "search_path", value: searchPath)) }
    return settings + self.settings
  }

  /// The settings of each session that the configuration has a value for, except the search path.
  public var settings: [(name: String, value: String)] {
    [
      ("synchronous_commit", synchronousCommit),
      ("statement_timeout", statementTimeout.map(Self.milliseconds)),
      ("lock_timeout", lockTimeout.map(Self.milliseconds)),
    ].compactMap { name, value in value.map { (name: name, value: $0) } }
  }

  private static func milliseconds(_ duration: Duration) -> String {
    String(max(Int64((duration / .milliseconds(1)).rounded(.up)), 0))
  }
}

extension PostgresConfiguration: CustomStringConvertible {
  /// The application name alone: the URL may contain a password, and configurations may be logged.
  public var description: String { "PostgresConfiguration(\(applicationName))" }
}
