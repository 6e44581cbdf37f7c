internal import Foundation
internal import Glibc
internal import Postgres
internal import StandardStreams

/// A PostgreSQL cluster in a temporary folder, which listens only on a Unix socket there.
///
/// It writes nothing through to the disk, because nothing outlives it.
struct TemporaryCluster: Sendable {
  /// The longest path of a Unix socket, in bytes, without the final null byte.
  private static let maxSocketPathBytes = 107

  /// The folder of the socket, the log and the data, in the folder of `mockupd dev`.
  let folder: String
  /// The file for the output of PostgreSQL's programs, which its user cannot replace.
  private let output: String
  private let user = SystemUser.ofPostgres

  init(in folder: String) {
    self.folder = "\(folder)/postgres"
    output = "\(folder)/output"
  }

  private var data: String { "\(folder)/data" }

  /// Returns the URL of a database for a login.
  func url(of database: String, user: String) -> String {
    "postgresql:///\(database)?host=\(folder)&user=\(user)"
  }

  /// Throws an error if the path of the socket would be too long.
  func checkPath() throws {
    guard "\(folder)/.s.PGSQL.5432".utf8.count <= Self.maxSocketPathBytes else {
      throw CommandError(
        "the path \(folder) is too long for a Unix socket; set TMPDIR to another folder",
        exitCode: CommandError.usage)
    }
  }

  /// Creates the cluster, with the superuser `postgres`.
  func create(_ programs: PostgresPrograms) async throws {
    guard unsafe mkdir(folder, 0o700) == 0 else {
      throw CommandError("cannot create \(folder)", systemError: errno)
    }
    if let user, unsafe chown(folder, user.userID, user.groupID) != 0 {
      throw CommandError("cannot change the owner of \(folder)", systemError: errno)
    }
    try await run(
      "\(programs.folder)/initdb",
      [
        "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8",
        "--no-sync", "--no-instructions",
      ])
  }

  /// Starts the cluster, and returns when it answers.
  func start(_ programs: PostgresPrograms) async throws {
    let settings = [
      "listen_addresses=", "unix_socket_directories=\(folder)", "fsync=off",
      "synchronous_commit=off", "full_page_writes=off",
    ]
    try await run(
      "\(programs.folder)/pg_ctl",
      [
        "-D", data, "-l", "\(folder)/log", "-w", "-o",
        settings.map { "-c '\($0)'" }.joined(separator: " "), "start",
      ])
  }

  /// Stops the cluster, if it runs, and removes its files.
  ///
  /// The files are removed as their owner, who could otherwise make root remove other files. An
  /// owner who cannot reach the folder removes nothing.
  func remove() async {
    guard unsafe access(folder, F_OK) == 0 else { return }
    if let process, Self.isCluster(process, data) {
      // An immediate shutdown, which writes nothing.
      kill(process, SIGQUIT)
      while Self.isCluster(process, data) { try? await Task.sleep(for: .milliseconds(20)) }
    }
    try? await run("/usr/bin/find", [folder, "-mindepth", "1", "-delete"])
  }

  /// The process id in the cluster's lock file; another process may have it after a restart of the
  /// machine.
  private var process: pid_t? {
    guard let text = try? String(contentsOfFile: "\(data)/postmaster.pid", encoding: .utf8) else {
      return nil
    }
    return text.split(separator: "\n").first.flatMap { pid_t($0) }
  }

  /// Returns true if a process is the PostgreSQL that serves a data folder.
  private static func isCluster(_ process: pid_t, _ data: String) -> Bool {
    guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else {
      return false
    }
    return line.split(separator: 0).contains { String(decoding: $0, as: UTF8.self) == data }
  }

  private func run(_ path: String, _ arguments: [String]) async throws {
    try await ExternalProgram(path: path, arguments: arguments, user: user)
      .run(output: output)
  }
}
