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

  /// The timeout of one attempt to connect, for which statements wait.
  public var connectTimeout: Duration = .seconds(5)

  /// The `statement_timeout` of each session: zero for no limit, nil for the server's default.
  public var statementTimeout: Duration?

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
  public var maximumBackoff: Duration = .seconds(10)

  /// The time that ``Pool/run()`` waits for pending statements when it ends.
  public var shutdownTimeout: Duration = .seconds(10)

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
    string.set("application_name", applicationName)
    string.set("client_encoding", "UTF8")
    // Detects a peer that vanished without closing the connection, also in sessions that only
    // listen. Unix sockets ignore both settings.
    string.setDefault("tcp_user_timeout", "30000")
    string.setDefault("keepalives_idle", "30")
    return string
  }

  /// The settings of each session.
  var sessionSettings: [(name: String, value: String)] {
    // A warning is the only sign that a commit was not replicated; see ``ServerFields``.
    var settings = [
      (name: "TimeZone", value: "UTC"), (name: "client_min_messages", value: "notice"),
    ]
    if let searchPath { settings.append((name: "search_path", value: searchPath)) }
    if let statementTimeout {
      let milliseconds = Int64((statementTimeout / .milliseconds(1)).rounded(.up))
      settings.append((name: "statement_timeout", value: String(max(milliseconds, 0))))
    }
    return settings
  }
}

extension PostgresConfiguration: CustomStringConvertible {
  /// The application name alone: the URL may contain a password, and configurations may be logged.
  public var description: String { "PostgresConfiguration(\(applicationName))" }
}
