import Foundation
import Postgres
import TestSupport
import Testing

/// Two partitions and their proxy, each in a PostgreSQL of its own, set up as the article says.
struct ArticlePartitions {
  /// The servers with the databases `part0` and `part1`.
  let servers: [PrivatePostgres]
  let proxyServer: PrivatePostgres
  /// The folder of the file `partitions`, which has their URLs.
  let folder: String

  /// The file with the URLs of the partitions.
  var file: String { "\(folder)/partitions" }

  /// The file with the server's settings, all by default.
  private var settings: String { "\(folder)/settings.json" }

  /// The configuration of the server's login in the proxy.
  var service: PostgresConfiguration { Self.service(of: "proxy", at: proxyServer.host) }

  /// The URL of the server's login in a partition.
  static func url(ofPartition number: Int, at host: String) -> String {
    service(of: "part\(number)", at: host).url
  }

  private static func service(of database: String, at host: String) -> PostgresConfiguration {
    PostgresConfiguration(
      url: "postgresql:///\(database)?host=\(host)&user=mockupd", applicationName: "mockupd-tests")
  }

  static func with(_ body: (ArticlePartitions) async throws -> Void) async throws {
    try await PrivatePostgres.with(isMigrated: false) { first in
      try await PrivatePostgres.with(isMigrated: false) { second in
        try await PrivatePostgres.with(isMigrated: false) { proxy in
          try await withTemporaryFolder { folder in
            let partitions = ArticlePartitions(
              servers: [first, second], proxyServer: proxy, folder: folder)
            try await partitions.setUp()
            try await body(partitions)
          }
        }
      }
    }
  }

  private func setUp() async throws {
    for (number, server) in servers.enumerated() {
      let owner = try await server.makeDatabase("part\(number)")
      let ending = try await Program.mockupd.run(["migrate", "--database-url", owner.url])
      guard ending.exitCode == 0 else { throw Program.Failure(description: "\(ending)") }
      try await Self.addLogin(owner)
    }
    try writeFile(servers.map(\.host))
    try Data("{}".utf8).write(to: URL(filePath: settings))
    let proxy = try await proxyServer.makeDatabase("proxy")
    try await run(try PartitionsArticle.commands(in: "Set up")[0])
    try await Self.addLogin(proxy)
  }

  private static func addLogin(_ owner: PostgresConfiguration) async throws {
    try await owner.run("CREATE ROLE mockupd LOGIN IN ROLE mockupd_service")
  }

  /// Writes the file with the URLs of the partitions.
  func writeFile(_ hosts: [String]) throws {
    let urls = hosts.enumerated().map { Self.url(ofPartition: $0, at: $1) + "\n" }
    try Data(urls.joined().utf8).write(to: URL(filePath: file))
  }

  /// Runs commands of the article in a shell.
  ///
  /// - Parameters:
  ///   - server: The PostgreSQL of the commands that name none; nil for that of the proxy.
  ///   - new: The PostgreSQL that the article calls `NEW`.
  ///   - socket: The socket of mockupd.
  @discardableResult
  func run(
    _ commands: String, on server: PrivatePostgres? = nil, new: PrivatePostgres? = nil,
    socket: String = ""
  ) async throws -> String {
    let programs = Program.mockupd.executable.deletingLastPathComponent().path
    let text = commands.replacing("/etc/mockupd/partitions", with: file)
      .replacing("/etc/mockupd/settings.json", with: settings)
      .replacing("-h NEW", with: "-h \(new?.host ?? "NEW")")
    let ending = try await withTemporaryFolder { folder in
      try await RunningProgram(
        URL(filePath: "/bin/bash"), ["-euo", "pipefail", "-c", text],
        environment: [
          "PATH": "\(programs):/usr/bin:/bin", "PGHOST": (server ?? proxyServer).host,
          "PGUSER": "postgres", "MOCKUPD_SOCKET_PATH": socket,
        ], folder: URL(filePath: folder)
      ).ending()
    }
    guard ending.exitCode == 0 else {
      throw Program.Failure(description: "\(commands): \(ending)")
    }
    return ending.output
  }

  /// The configuration of the owner of a partition, on the server that has it.
  func owner(of number: Int, on server: PrivatePostgres? = nil) -> PostgresConfiguration {
    PostgresConfiguration(
      url: "postgresql:///part\(number)?host=\((server ?? servers[number]).host)&user=postgres",
      applicationName: "mockupd-tests")
  }

  /// Creates a user of a partition.
  func makeUser(in number: Int) async throws -> UUID {
    var bytes = UUID().uuid
    bytes.15 = bytes.15 & ~1 | UInt8(number)
    let id = UUID(uuid: bytes)
    try await owner(of: number).run(
      """
      WITH made AS (INSERT INTO auth.users (id) VALUES ('\(id)') RETURNING id)
      INSERT INTO public.user_settings (user_id, guardrails)
      SELECT id, '{"annual_mockup_budget": 1000000}' FROM made
      """)
    return id
  }
}

/// The article Partitions, whose commands the tests run as they are printed.
enum PartitionsArticle {
  private static let path = "Sources/mockupd/mockupd.docc/Partitions.md"

  /// Returns the text of the shell blocks in a section.
  static func commands(in section: String) throws -> [String] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
    let body = try #require(
      text.components(separatedBy: "\n## ").first { $0.hasPrefix("\(section)\n") })
    // The blocks belong to the items of a list.
    let parts = body.components(separatedBy: "\n   ```\n")
    return stride(from: 1, to: parts.count, by: 2).map { parts[$0] }
  }
}
