internal import ArgumentParser
internal import Foundation
internal import MockupSchema
internal import Postgres
internal import StandardStreams

struct Partitions: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the SQL of a proxy database over several partitions.",
    discussion: """
      A partition is a database with this program's schema (`mockupd migrate`); 1, 2, 4, 8 or 16 \
      are possible. The last byte of a user's id decides to which partition the user belongs, so \
      the number and the order of the partitions must never change. The proxy database has no data \
      and needs the extension PL/Proxy (Debian's package postgresql-15-plproxy). It passes each \
      call of `mockupd serve` on to the partition of the user, or to all partitions.

      Reads the schema of each partition, and prints statements to be run by a superuser of the \
      proxy database, as with `psql`. They may be run again at any time: after `mockupd migrate` \
      has changed the partitions, and to give a partition another address. The output includes \
      the password of the partitions' login.

      The proxy connects to the partitions with the server's settings of timeouts, \
      synchronous_commit and keepalives, which are read as `mockupd serve` reads them: from the \
      environment and the settings file. What a URL sets takes precedence. Most connection poolers \
      refuse the settings; add `options=` to the URL of a pooler, and set them for the login in \
      the partition.

      An error in a line of the file, and a partition that cannot be read, are reported with the \
      number of the line.

      The article Partitions of the documentation describes the operation.
      """)

  @Argument(
    help: ArgumentHelp(
      "The file with the database URL of each partition, in order: one in each line, with the same "
        + "user and password. Empty lines and lines that begin with # are ignored.",
      valueName: "file"),
    completion: .file())
  var file: String

  @Option(help: "A JSON file with settings.", completion: .file())
  var config: String?

  func run() async throws {
    let flags = try SettingsFlags.parse(config.map { ["--config", $0] } ?? [])
    let reader = try await SettingsReader(flags)
    var sessions = PostgresConfiguration(url: "", applicationName: "mockupd proxy")
    sessions.searchPath = "pg_catalog, pg_temp"
    try await sessions.readSessionSettings(from: reader)
    sessions.lockTimeout = try await reader.lockTimeout
    let lines = try InputFile.lines(file).enumerated()
      .map { (number: $0 + 1, url: $1.trimmingCharacters(in: .whitespaces)) }
      .filter { !$0.url.isEmpty && !$0.url.hasPrefix("#") }
    let script: ProxyScript
    do throws(ProxyScript.Failure) {
      script = try await ProxyScript(
        partitions: lines.map { [sessions] in sessions.replacingURL($0.url) })
    } catch {
      let place = error.partition.map { "\(file), line \(lines[$0].number)" } ?? file
      throw Failure(description: "\(place): \(error.description)")
    }
    try await StandardOutput.write(script.text)
  }

  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }
}
