internal import Foundation

/// The PostgreSQL server that all rows share, and databases in it that are new for each.
struct PostgresServer {
  /// The folder of its socket.
  let socket: String
  /// PostgreSQL's programs.
  let programs: String
  /// mockupd's.
  let mockupd: String
  /// Where the SQL files are.
  let sources: URL

  func url(_ database: String, user: String = "postgres") -> String {
    "postgresql:///\(database)?host=\(socket)&user=\(user)"
  }

  func run(_ sql: String, in database: String) throws {
    _ = try output(
      of: "/usr/bin/psql",
      ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url(database), "-c", sql])
  }

  func run(file: String, in database: String, _ variables: [String: String] = [:]) throws {
    let settings = variables.flatMap { ["-v", "\($0.key)=\($0.value)"] }
    _ = try output(
      of: "/usr/bin/psql",
      ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url(database), "-o", "/dev/null"] + settings
        + ["-f", sources.appending(path: file).path])
  }

  /// Makes the databases that others are copied from: ours, migrated, and the peer's; each with
  /// users that never run out of credits.
  func prepare(users: Int) throws {
    for database in ["bench_ours", "bench_peer"] { try recreate(database) }
    _ = try output(of: mockupd, ["migrate", "--database-url", url("bench_ours")])
    try run(file: "SQL/users.sql", in: "bench_ours", ["users": "\(users)"])
    try run(file: "Peers/peer.sql", in: "bench_peer", ["users": "\(users)"])
  }

  /// A new copy of one of those, with nothing in the way of the first transaction.
  func fresh(_ name: String, from template: String = "bench_ours") throws -> String {
    try recreate(name, from: template)
    try run("CHECKPOINT", in: name)
    return name
  }

  private func recreate(_ name: String, from template: String = "template1") throws {
    try run("DROP DATABASE IF EXISTS \(name) WITH (FORCE)", in: "postgres")
    try run("CREATE DATABASE \(name) TEMPLATE \(template)", in: "postgres")
  }
}
