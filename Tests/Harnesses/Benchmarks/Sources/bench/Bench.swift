internal import ArgumentParser
internal import Foundation

/// The command line, which `scripts/bench` calls.
@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure mockupd and its peers, and print a table.")

  @Option(help: "The path of mockupd.") var mockupd: String
  @Option(help: "The path of the load generator.") var load: String
  @Option(help: "The folder of the peers' programs.") var peers: String
  @Option(help: "The folder of PostgreSQL's socket.") var postgres: String
  @Option(help: "The folder of the socket of the proxy's PostgreSQL.") var proxy: String
  @Option(help: "The folder of PostgreSQL's programs.") var postgresPrograms: String
  @Option(help: "The folder of the benchmarks' SQL.") var sources: String
  @Option(help: "The folder for sockets.") var folder: String
  @Option(help: "The file for the results in JSON.") var output: String
  @Flag(help: "Take short measurements (two minutes in all).") var quick = false
  @Option(help: "Only rows whose title begins with this text.") var only: String?

  private static let users = 1000

  func run() throws {
    func postgresServer(_ socket: String) -> PostgresServer {
      PostgresServer(
        socket: socket, programs: postgresPrograms, mockupd: mockupd,
        sources: URL(fileURLWithPath: sources))
    }
    let server = postgresServer(postgres)
    let stage = Stage(
      mockupd: mockupd, peers: peers, folder: folder, load: LoadGenerator(path: load),
      postgres: server, proxy: postgresServer(proxy), pgBench: PgBench(postgres: server),
      users: Self.users,
      rounds: quick ? 1 : 3, seconds: quick ? 2 : 8, isQuick: quick)
    try server.prepare(users: Self.users)
    var rows: [Row] = []
    for scenario in Scenario.all where isWanted(scenario) {
      let row: Row
      do {
        row = try scenario.measure(stage)
      } catch {
        row = Row(
          work: scenario.work, at: scenario.at, against: "",
          details: ["not measured: \(error)"])
      }
      rows.append(row)
      // Prints each row as soon as it is measured.
      for line in Table(rows: [row]).lines { print(line) }
      fflush(nil)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try encoder.encode(rows).write(to: URL(fileURLWithPath: output))
    let missed = rows.filter { $0.measurements.isEmpty || !$0.measurements.allSatisfy(\.isReached) }
    print("\(rows.count - missed.count) of \(rows.count) rows reach their targets: \(output)")
  }

  private func isWanted(_ scenario: Scenario) -> Bool {
    if quick, scenario.takesLong { return false }
    guard let only else { return true }
    return "\(scenario.work), \(scenario.at)".hasPrefix(only)
  }
}
