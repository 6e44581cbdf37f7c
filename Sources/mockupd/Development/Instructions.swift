internal import Foundation
internal import MockupCore

/// The text that `mockupd dev` prints when it is ready: the addresses, and commands to try.
struct Instructions {
  let server: DevelopmentServer
  let sample: SampleLedger
  let stuck: SampleLedger.Stuck
  let startTime: Duration
  /// The folder of mockupctl, if the shell does not find it there by itself.
  let programFolder: String?

  /// The commands, which a shell runs as they are.
  var commands: [(purpose: String, line: String)] {
    let user = Self.text(sample.users[0].id)
    let stuckUser = Self.text(stuck.userID)
    let path = programFolder.map { ("The programs", "export PATH=\($0):$PATH") }
    return [path].compactMap(\.self) + [
      ("The server", "export MOCKUPD_SOCKET_PATH=\(server.socket)"),
      ("The users, those with the fewest credits first", "mockupctl usage --order available"),
      ("A user's year", "mockupctl usage \(user) --by-month"),
      ("The newest entries of the ledger", "mockupctl ledger show \(user) --limit 5"),
      ("Reserve credits before a paid call", "mockupctl reserve \(user) 3"),
      ("Its mockups", "mockupctl mockups list \(user) --limit 5"),
      ("A reservation that is stuck: did the vendor charge?", "mockupctl stuck"),
      (
        "The vendor charged 2 of \(stuck.credits) credits",
        "mockupctl reservations resolve \(stuckUser) \(Self.text(stuck.reservationID))"
          + " --credits 2"
      ),
      ("Recompute every balance", "mockupctl ledger verify"),
      (
        "Metrics",
        "curl --silent --unix-socket \(server.socket) http://localhost/metrics"
      ),
    ]
  }

  var text: String {
    let seconds =
      Double(startTime.components.seconds)
      + Double(startTime.components.attoseconds) / 1e18
    let users = sample.users.map { "  \(Self.text($0.id))  \($0.email)" }
    let commands = commands.map { "  # \($0.purpose)\n  \($0.line)" }
    return """
      ready after \(seconds.formatted(.number.precision(.fractionLength(1)))) seconds; \
      Ctrl-C stops the server and removes everything

      Users with a year of sample data:

      \(users.joined(separator: "\n"))

      Try, in another terminal:

      \(commands.joined(separator: "\n"))

      Any gRPC tool works too, for example grpcurl:

        grpcurl -plaintext -unix \(server.socket) list

      Usage in pictures, in a browser; this prints the link:

        mockup-console --socket \(server.socket)

      The database: psql '\(server.ownerURL)'
      """
  }

  private static func text(_ id: UUID) -> String { id.uuidString.lowercased() }

  /// Returns the folder of a program, unless a shell with the path finds mockupctl there.
  static func programFolder(of program: String, path: String) -> String? {
    let folder = URL(filePath: program).deletingLastPathComponent()
    let found = path.split(separator: ":").map { "\($0)/mockupctl" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
    let isFound = found.map {
      URL(filePath: $0).resolvingSymlinksInPath().deletingLastPathComponent().path == folder.path
    }
    return isFound == true ? nil : folder.path
  }
}
