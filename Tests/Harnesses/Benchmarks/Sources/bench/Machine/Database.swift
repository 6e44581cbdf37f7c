internal import Foundation

/// A PostgreSQL server of the rows; each row has new databases in it.
struct PostgresServer {
  /// The folder of the socket.
  let socket: String
  /// The folder of PostgreSQL's programs.
  let programs: String
  /// The path of mockupd.
  let mockupd: String
  /// The folder of the SQL files.
  let sources: URL

  func url(_ database: String, user: String = "postgres") -> String {
    "postgresql:///\(database)?host=\(socket)&user=\(user)"
  }

  func run(_ sql: String, in database: String) throws {
    _ = try output(
      of: "/usr/bin/psql",
      ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url(database), "-c", sql])
  }

  /// Runs a query that returns one number.
  func number(_ sql: String, in database: String) throws -> Int {
    let text = String(
      decoding: try output(
        of: "/usr/bin/psql",
        ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url(database), "-c", sql]),
      as: UTF8.self)
    guard let number = Int(text.filter { !$0.isWhitespace }) else {
      throw BenchError("\(sql) returned \(text)")
    }
    return number
  }

  func run(file: String, in database: String, _ variables: [String: String] = [:]) throws {
    try run(path: sources.appending(path: file).path, in: database, variables)
  }

  func run(path: String, in database: String, _ variables: [String: String] = [:]) throws {
    let settings = variables.flatMap { ["-v", "\($0.key)=\($0.value)"] }
    _ = try output(
      of: "/usr/bin/psql",
      ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url(database), "-o", "/dev/null"] + settings
        + ["-f", path])
  }

  /// Creates the template databases with mockupd's and with the peer's schema, and users in them
  /// who never run out of credits.
  func prepare(users: Int) throws {
    for database in ["bench_ours", "bench_peer"] { try recreate(database) }
    _ = try output(of: mockupd, ["migrate", "--database-url", url("bench_ours")])
    try run(file: "SQL/users.sql", in: "bench_ours", ["users": "\(users)"])
    try run(file: "Peers/peer.sql", in: "bench_peer", ["users": "\(users)"])
  }

  /// Creates a copy of a template, and runs a checkpoint so that none disturbs the first
  /// transactions.
  func fresh(_ name: String, from template: String = "bench_ours") throws -> String {
    try recreate(name, from: template)
    try run("CHECKPOINT", in: name)
    return name
  }

  /// Creates a copy of a template, in place of a database with its name.
  func recreate(_ name: String, from template: String = "template1") throws {
    try run("DROP DATABASE IF EXISTS \(name) WITH (FORCE)", in: "postgres")
    try run("CREATE DATABASE \(name) TEMPLATE \(template)", in: "postgres")
  }
}
