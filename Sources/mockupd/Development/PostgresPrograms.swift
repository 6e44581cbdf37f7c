internal import Foundation
internal import StandardStreams

/// The installed programs of PostgreSQL that make and run a cluster.
struct PostgresPrograms: Sendable {
  /// The lowest version that the schema works with.
  private static let minimumVersion = 15
  /// The folder in which Debian's packages have a folder for each version.
  private static let debianFolder = "/usr/lib/postgresql"

  /// The folder of `initdb` and `pg_ctl`.
  let folder: String

  /// Finds the highest version of Debian's packages, or the programs in the folders of `PATH`.
  ///
  /// - Throws: `CommandError` that names the package to install.
  static func find() throws(CommandError) -> PostgresPrograms {
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: debianFolder)) ?? []
    let packaged = versions.compactMap { Int($0) }.filter { $0 >= minimumVersion }.sorted(by: >)
      .map { "\(debianFolder)/\($0)/bin" }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    for folder in packaged + path.split(separator: ":").map(String.init) {
      let programs = PostgresPrograms(folder: folder)
      if programs.exist { return programs }
    }
    throw CommandError(
      "PostgreSQL \(minimumVersion) or later is not installed (Debian: apt-get install "
        + "postgresql), and PATH has no folder with initdb and pg_ctl",
      exitCode: CommandError.unavailable)
  }

  private var exist: Bool {
    ["initdb", "pg_ctl"].allSatisfy {
      FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)")
    }
  }
}
