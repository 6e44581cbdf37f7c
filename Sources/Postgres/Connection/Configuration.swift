/// How to reach the database, and within what bounds.
public struct PostgresConfiguration: Sendable {
  /// Any URL or `keyword=value …` of libpq: `postgresql:///db?host=/run/postgresql`.
  ///
  /// The session's `client_encoding` is always UTF8 and its `TimeZone` UTC. `options` are sent only if
  /// the URL has them: most poolers refuse them.
  public var url: String

  /// What `pg_stat_activity` shows.
  public var applicationName: String

  /// How long one attempt to connect may take, and so how long a statement waits for it at most.
  public var connectTimeout: Duration = .seconds(5)

  /// How long the server lets a statement run; zero for no limit, nil for the server's own setting.
  public var statementTimeout: Duration?

  /// The session's `search_path`: the schemas in which names that are not qualified are looked up; nil for
  /// the server's own setting.
  ///
  /// The server's own usually has schemas in which other logins may create functions and operators. One
  /// that takes the types of a statement's arguments more exactly than PostgreSQL's own is called in its
  /// place, as this login. `pg_catalog, pg_temp` excludes that.
  public var searchPath: String?

  /// How many connections a ``Pool`` holds.
  public var connectionCount = 4

  /// How many statements may be pending on one connection, queued and in flight together. A
  /// transaction counts as one; of its own statements as many again may be pending.
  public var maximumPending = 1024

  /// How many statements of them are sent ahead of their answers.
  public var maximumInFlight = 256

  /// How many statements are prepared on one connection; those beyond it are parsed each time.
  public var maximumPrepared = 1000

  /// The pause after the first attempt to connect that fails. It doubles with each, and of each
  /// a random part, up to a half, is left out, so that many programs do not return at once.
  public var minimumBackoff: Duration = .milliseconds(100)

  /// The longest pause between two attempts.
  public var maximumBackoff: Duration = .seconds(10)

  /// How long ``Pool/run()`` waits at its end for what is pending.
  public var shutdownTimeout: Duration = .seconds(10)

  /// Where the random part of a pause comes from: a number from 0 up to 1.
  public var randomFraction: @Sendable () -> Double = { Double.random(in: 0..<1) }

  /// Starts with the defaults above.
  public init(url: String, applicationName: String) {
    self.url = url
    self.applicationName = applicationName
  }

  /// Whether libpq can read it. Whether anybody answers there is another matter.
  public static func accepts(url: String) -> Bool {
    (try? ConnectionString(parsing: url)) != nil
  }

  /// What libpq is told.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/invalidConfiguration``.
  func connectionString() throws(PostgresError) -> ConnectionString {
    guard connectionCount > 0, maximumPending > 0, maximumInFlight > 0 else {
      throw PostgresError(
        .invalidConfiguration,
        "connectionCount, maximumPending and maximumInFlight must be greater than 0."
      )
    }
    guard connectTimeout > .zero, minimumBackoff > .zero, maximumBackoff >= minimumBackoff else {
      throw PostgresError(
        .invalidConfiguration,
        "connectTimeout and minimumBackoff must be greater than 0, maximumBackoff not less."
      )
    }
    var string = try ConnectionString(parsing: url)
    string.set("application_name", applicationName)
    string.set("client_encoding", "UTF8")
    // A peer that vanished without a word is noticed, also by a session that only listens; Unix
    // sockets ignore both.
    string.setDefault("tcp_user_timeout", "30000")
    string.setDefault("keepalives_idle", "30")
    return string
  }

  /// The settings of each session, by name.
  var sessionSettings: [(name: String, value: String)] {
    var settings = [(name: "TimeZone", value: "UTC")]
    if let searchPath { settings.append((name: "search_path", value: searchPath)) }
    if let statementTimeout {
      let milliseconds = Int64((statementTimeout / .milliseconds(1)).rounded(.up))
      settings.append((name: "statement_timeout", value: String(max(milliseconds, 0))))
    }
    return settings
  }
}

extension PostgresConfiguration: CustomStringConvertible {
  /// Without the URL, which may have a password: whatever holds a configuration may be logged.
  public var description: String { "PostgresConfiguration(\(applicationName))" }
}
