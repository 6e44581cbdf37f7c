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
      call of `mockupd serve` on to the partition of the user.

      Reads the schema of each partition, and prints statements to be run by a superuser of the \
      proxy database, as with `psql`. They may be run again at any time: after `mockupd migrate` \
      has changed the partitions, and to give a partition another address. The output includes \
      the password of the partitions' login.

      The article Partitions of the documentation describes the operation.
      """)

  @Argument(
    help: ArgumentHelp(
      "The file with the database URL of each partition, in order: one in each line, with the same "
        + "user and password. Empty lines and lines that begin with # are ignored.",
      valueName: "file"),
    completion: .file())
  var file: String

  func run() async throws {
    let partitions = try String(contentsOf: URL(filePath: file), encoding: .utf8)
      .split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
      .map { url in
        var configuration = PostgresConfiguration(
          url: url, applicationName: "mockupd partitions")
        configuration.searchPath = "pg_catalog, pg_temp"
        return configuration
      }
    do {
      try await StandardOutput.write(try await ProxyScript(partitions: partitions).text)
    } catch let error as MigrationError {
      throw Failure(description: error.report)
    }
  }

  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }
}
