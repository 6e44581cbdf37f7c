import Foundation
import MockupClient
import Postgres
import TestSupport
import Testing

/// Behavior that all commands share: help, unwritable output, `--timeout`, `--id` and escaped text.
@Suite struct CommandOutputTests {
  /// A command in the program's `--experimental-dump-help` output.
  private struct Command: Decodable {
    struct Argument: Decodable {
      struct Name: Decodable { var name: String }
      var names: [Name]?
    }

    var commandName: String
    var subcommands: [Command]?
    var arguments: [Argument]?

    /// The commands without subcommands, each with its path below this one.
    var leaves: [(path: String, command: Command)] {
      (subcommands ?? []).filter { $0.commandName != "help" }.flatMap { command in
        let below = command.leaves.map { ("\(command.commandName) \($0.path)", $0.command) }
        return below.isEmpty ? [(command.commandName, command)] : below
      }
    }

    func hasOption(_ name: String) -> Bool {
      (arguments ?? []).contains { $0.names?.contains { $0.name == name } == true }
    }

    static func ofProgram(_ program: Program) async throws -> [(path: String, command: Command)] {
      struct Dump: Decodable { var command: Command }
      let ending = try await program.run(["--experimental-dump-help"])
      return try JSONDecoder().decode(Dump.self, from: Data(ending.output.utf8)).command.leaves
    }
  }

  /// Functions that return the arguments of each command.
  ///
  /// Some create the state that the command needs, anew on each call.
  private static let arguments: [String: @Sendable (Fixture) async throws -> [String]] = [
    "reserve": { [$0.user, "1"] },
    "dispatch": { [$0.user, try await $0.reservation()] },
    "extend": { [$0.user, try await $0.reservation()] },
    "commit": { [$0.user, try await $0.reservation()] },
    "release": { [$0.user, try await $0.reservation()] },
    "refund": { [$0.user, try await $0.entry()] },
    "reservation": { [$0.user, try await $0.reservation()] },
    "reservations list": { [$0.user] },
    "reservations resolve": { [$0.user, try await $0.unresolved(), "--credits", "1"] },
    "usage": { [$0.user] },
    "usage-history": { [$0.user] },
    "report": { [$0.user, "--html", "-"] },
    "ledger show": { [$0.user] },
    "ledger export": { [$0.user] },
    "ledger verify": { _ in [] },
    "generate": { [$0.user, "--asset", try await $0.asset(), "--scene", "bedroom"] },
    "mockups list": { [$0.user] },
    "mockups show": { [$0.user, try await $0.mockup()] },
    "mockups approve": { [$0.user, try await $0.mockup()] },
    "mockups reject": { [$0.user, try await $0.mockup()] },
    "mockups regenerate": { [$0.user, try await $0.mockup()] },
    "mockups delete": { [$0.user, try await $0.mockup()] },
    "mockups watch": {
      _ = try await $0.mockup(); return [$0.user, "--current"]
    },
    "mockups claim": { _ in ["--worker", "w"] },
    "mockups heartbeat": { try await $0.attempt() },
    "mockups complete": { try await $0.attempt() + ["--file-url", "u", "--file-key", "k"] },
    "mockups fail": { try await $0.attempt() + ["--message", "m"] },
    "performance record": { [$0.user, try await $0.mockup(), "--pins", "1"] },
    "scenes list": { [$0.user] },
    "scenes show": { [try await $0.scene(), "--user", $0.user] },
    "scenes resolve": { [$0.user, "bedroom"] },
    "scenes create": { [$0.user, $0.newSceneKey, "t"] },
    "scenes update": { [$0.user, try await $0.scene(), "--name", "n"] },
    "scenes delete": { [$0.user, try await $0.scene()] },
    "budget": { [$0.user] },
    "stuck": { _ in [] },
    "alerts list": { _ in [] },
    "alerts watch": { _ in ["--output", "json"] },
    "info": { _ in [] },
    "health": { _ in [] },
    "completions": { _ in ["bash"] },
  ]

  /// A user, and functions that create the state that commands need.
  private struct Fixture: Sendable {
    let database: MigratedDatabase
    let server: RunningServer
    let userID: UUID
    var user: String { userID.wireText }
    var newSceneKey: String { "s\(UUID().wireText)" }

    @discardableResult
    func mockupctl(_ arguments: [String]) async throws -> Program.Ending {
      let ending = try await Program.mockupctl.run(
        arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket])
      guard ending.exitCode == 0 else {
        throw Program.Failure(description: "\(arguments): \(ending)")
      }
      return ending
    }

    func reservation() async throws -> String {
      let id = UUID().wireText
      try await mockupctl(["reserve", user, "1", "--id", id])
      return id
    }

    func unresolved() async throws -> String {
      let id = try await reservation()
      try await mockupctl(["dispatch", user, id])
      try await database.expireReservations(id)
      return id
    }

    func entry() async throws -> String {
      try await mockupctl(["commit", user, try await reservation()])
      let lines = try await mockupctl(["ledger", "export", user, "--output", "jsonl"]).output
      let last = try #require(lines.split(separator: "\n").last)
      let entry = try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any]
      return try #require(entry?["entry_id"] as? String)
    }

    func mockup() async throws -> String {
      let id = try #require(try await database.makeMockups(1, of: userID).first)
      for change in [
        "status = 'generating'", "status = 'completed', file_url = 'https://f/1', file_key = '1'",
      ] {
        try await database.owner.run("UPDATE mockups SET \(change) WHERE id = '\(id)'")
      }
      return id.wireText
    }

    /// Returns the arguments that name the attempt of a mockup that has just been claimed.
    func attempt() async throws -> [String] {
      try await mockupctl(["generate", user, "--asset", try await asset(), "--scene", "bedroom"])
      let claim = try await mockupctl(
        ["mockups", "claim", "--worker", "w", "--count", "100", "--output", "json"])
      let mockups = try JSONSerialization.jsonObject(with: Data(claim.output.utf8))
      let last = try #require((mockups as? [[String: Any]])?.last)
      return [
        user, try #require(last["mockup_id"] as? String),
        "--attempt", "\(try #require(last["attempt"] as? Int))",
      ]
    }

    func asset() async throws -> String {
      try #require(
        try await database.texts(
          "INSERT INTO assets (user_id) VALUES ('\(userID)') RETURNING id::text"
        ).first)
    }

    func scene(_ options: [String] = []) async throws -> String {
      let ending = try await mockupctl(
        ["scenes", "create", user, newSceneKey, "t", "--output", "json"] + options)
      let scene =
        try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any]
      return try #require(scene?["template_id"] as? String)
    }
  }

  private static func withFixture(_ body: (Fixture) async throws -> Void) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 1000)
      try await database.withServer { server in
        try await body(Fixture(database: database, server: server, userID: user))
      }
    }
  }

  @Test func `the table of this test contains every command`() async throws {
    let commands = try await Command.ofProgram(.mockupctl).map(\.path)
    #expect(Set(commands) == Set(Self.arguments.keys))
    #expect(
      Set(try await Command.ofProgram(.mockupd).map(\.path)) == [
        "check", "dev", "migrate", "partitions", "serve", "settings",
      ])
  }

  @Test func `every command and group of commands has help`() async throws {
    let paths = try await Command.ofProgram(.mockupctl).map { $0.path.split(separator: " ") }
    let groups = Set(paths.map { $0.dropLast() })
    for path in paths + groups.map(Array.init) {
      let ending = try await Program.mockupctl.run(path.map(String.init) + ["--help"])
      #expect(ending.exitCode == 0, "\(path) \(ending)")
      let usage = (["USAGE: mockupctl"] + path).joined(separator: " ")
      #expect(ending.output.contains(usage), "\(path) \(ending)")
      #expect(ending.errors.isEmpty, "\(path) \(ending)")
    }
  }

  @Test(arguments: [">/dev/full", ">&-"])
  func `every command exits with code 74 and an error line if its output cannot be written`(
    _ redirection: String
  ) async throws {
    try await Self.withFixture { fixture in
      for (path, arguments) in Self.arguments.sorted(by: { $0.key < $1.key }) {
        let words = path.split(separator: " ").map { String($0) }
        let ending = try await Program.mockupctl.run(
          redirection, words + (try await arguments(fixture)),
          environment: ["MOCKUPD_SOCKET_PATH": fixture.server.socket])
        #expect(ending.exitCode == 74, "\(path) \(ending)")
        let errors = ending.errorLines.filter {
          $0.hasPrefix("mockupctl: cannot write to standard output: ")
        }
        #expect(errors.count == 1, "\(path) \(ending)")
        if ending.errorLines.count > 1 {
          // A command that changes something names its id before the call and in the error.
          let hint = ending.errorLines[0].dropFirst("mockupctl: ".count)
          #expect(hint.hasPrefix("repeat with --id "), "\(path) \(ending)")
          #expect(errors.first?.hasSuffix("; \(hint)") == true, "\(path) \(ending)")
        }
      }
    }
  }

  @Test(arguments: [">/dev/full", ">&-"])
  func `help and version texts exit with code 74 if they cannot be written`(
    _ redirection: String
  ) async throws {
    try await MigratedDatabase.with { database in
      let environment = ["MOCKUPD_DATABASE_URL": database.owner.url]
      for (program, arguments) in [
        (.mockupctl, ["--help"]), (.mockupctl, []), (.mockupctl, ["reserve", "--help"]),
        (.mockupctl, ["help", "usage"]), (.mockupctl, ["--generate-completion-script", "bash"]),
        (.mockupd, ["--help"]), (.mockupd, ["--version"]), (.mockupd, ["settings"]),
        (.mockupd, ["check"]), (.mockupd, ["migrate"]), (.mockupd, ["migrate", "--status"]),
        (.mockupctl, ["--version"]),
      ] as [(Program, [String])] {
        let ending = try await program.run(redirection, arguments, environment: environment)
        #expect(ending.exitCode == 74, "\(program) \(arguments) \(ending)")
        #expect(
          ending.errors.hasPrefix("\(program.rawValue): cannot write to standard output: "),
          "\(program) \(arguments) \(ending)")
      }
    }
  }

  @Test func `a closed output pipe exits with code 141 and no error line`() async throws {
    try await withTemporaryFolder { folder in
      let pipe = Pipe()
      try pipe.fileHandleForReading.close()
      let program = try Program.mockupctl.start(
        ["completions", "bash"], output: pipe.fileHandleForWriting, folder: folder)
      let ending = await program.ending()
      #expect(ending.exitCode == 141)
      #expect(ending.errors.isEmpty, "\(ending)")
    }
  }

  @Test func `a stream whose reader closes the pipe exits with code 141 and no error line`()
    async throws
  {
    try await Self.withFixture { fixture in
      // More lines than fit in the pipe.
      _ = try await fixture.database.makeMockups(2000, of: fixture.userID)
      try await withTemporaryFolder { folder in
        let pipeline = try RunningProgram(
          URL(filePath: "/bin/bash"),
          [
            "-c",
            #""$0" mockups watch --socket "$1" "$2" --current | head -n 1 >/dev/null"#
              + #"; echo "${PIPESTATUS[0]}""#,
            Program.mockupctl.executable.path, fixture.server.socket, fixture.user,
          ],
          environment: [:], folder: URL(filePath: folder))
        let ending = await pipeline.ending()
        #expect(ending.output == "141\n")
        #expect(ending.errors.isEmpty, "\(ending)")
      }
    }
  }

  @Test func `every command with --timeout ends at it if the server does not answer`()
    async throws
  {
    try await Self.withFixture { fixture in
      let user = UUID().wireText
      let other = UUID().wireText
      let arguments: [String: [String]] = [
        "reserve": [user, "1"], "dispatch": [user, other], "extend": [user, other],
        "commit": [user, other], "release": [user, other], "refund": [user, other],
        "reservation": [user, other], "reservations list": [user],
        "reservations resolve": [user, other, "--credits", "1"], "usage": [],
        "ledger show": [user], "ledger verify": [],
        "generate": [user, "--asset", other, "--scene", "s"], "mockups list": [user],
        "mockups show": [user, other], "mockups approve": [user, other],
        "mockups reject": [user, other], "mockups regenerate": [user, other],
        "mockups delete": [user, other], "mockups claim": ["--worker", "w"],
        "mockups heartbeat": [user, other, "--attempt", "1"],
        "mockups complete": [
          user, other, "--attempt", "1", "--file-url", "u", "--file-key", "k",
        ],
        "mockups fail": [user, other, "--attempt", "1", "--message", "m"],
        "performance record": [user, other, "--pins", "1"],
        "scenes list": [], "scenes show": [other], "scenes resolve": [user, "s"],
        "scenes create": [user, "s", "t"], "scenes update": [user, other, "--name", "n"],
        "scenes delete": [user, other], "budget": [user], "stuck": [], "alerts list": [],
        "info": [], "health": [], "usage-history": [user], "report": [user, "--html", "/dev/null"],
      ]
      let commands = try await Command.ofProgram(.mockupctl)
      let limited = commands.filter { $0.command.hasOption("timeout") }.map(\.path)
      #expect(Set(limited) == Set(arguments.keys))

      fixture.server.process.signal(SIGSTOP)
      for path in limited {
        let words = path.split(separator: " ").map { String($0) }
        let ending = try await Program.mockupctl.run(
          words + (arguments[path] ?? []) + ["--timeout", "0.2"],
          environment: ["MOCKUPD_SOCKET_PATH": fixture.server.socket])
        #expect(ending.exitCode == 75, "\(path) \(ending)")
        #expect(ending.errors.contains("the call's deadline has passed"), "\(path) \(ending)")
      }
      fixture.server.process.signal(SIGCONT)
    }
  }

  @Test func `a retry under the printed id has no second effect`()
    async throws
  {
    try await Self.withFixture { fixture in
      let mockup = try await fixture.mockup()
      let commands: [[String]] = [
        ["reserve", fixture.user, "2"],
        ["refund", fixture.user, try await fixture.entry()],
        ["generate", fixture.user, "--asset", try await fixture.asset(), "--scene", "bedroom"],
        ["mockups", "regenerate", fixture.user, mockup],
        ["performance", "record", fixture.user, mockup, "--pins", "3"],
        ["scenes", "create", fixture.user, fixture.newSceneKey, "t"],
      ]
      for command in commands {
        let lost = try await Program.mockupctl.run(
          ">/dev/full", command, environment: ["MOCKUPD_SOCKET_PATH": fixture.server.socket])
        let id = try #require(lost.errorLines.first?.split(separator: " ").last, "\(lost)")
        let usage = try await fixture.mockupctl(["usage", fixture.user]).output
        let retry = try await fixture.mockupctl(
          command + ["--id", String(id), "--output", "json"])
        #expect(retry.errors.isEmpty, "\(command) \(retry)")
        #expect(try await fixture.mockupctl(["usage", fixture.user]).output == usage, "\(command)")
        let refused = try await Program.mockupctl.run(
          command + ["--id", String(id), "--socket", "/nowhere/socket"])
        #expect(refused.errorLines.count == 1, "\(refused)")
        #expect(refused.errors.hasSuffix("; repeat with --id \(id)\n"), "\(refused)")
      }
      let pins = try await fixture.database.numbers(
        "SELECT total_pins::bigint FROM mockups WHERE id = '\(mockup)'")
      #expect(pins == [3])
    }
  }

  @Test func `a refusal names the options of the command`() async throws {
    try await Self.withFixture { fixture in
      try await withTemporaryFolder { folder in
        let used = try await fixture.reservation()
        let state = "\(folder)/state"
        try "x\n".write(toFile: state, atomically: true, encoding: .utf8)
        let cases: [(arguments: [String], code: Int32, error: String)] = [
          (
            ["ledger", "export", fixture.user, "--after", "x"], 64,
            "--after is not a valid token"
          ),
          (["ledger", "export", "--all", "--after", "x"], 64, "--after is not a valid token"),
          (["mockups", "watch", fixture.user, "--from", "x"], 64, "--from is not a valid token"),
          (["alerts", "watch", "--after", "x"], 64, "--after is not a valid token"),
          (
            ["alerts", "watch", "--state", state], 64,
            "the token in \(state) is not a valid token; remove the file to watch from now on"
          ),
          (
            ["reserve", fixture.user, "3", "--time-to-live", "90000"], 64,
            "--time-to-live 90000 is not between 1 and 86400"
          ),
          (
            ["reserve", fixture.user, "2", "--id", used], 1,
            "the id was already used with different credits"
          ),
          (["reserve", fixture.user, "3", "--socket", ""], 64, "--socket is empty"),
          (
            ["scenes", "create", fixture.user, "s", "t", "--scale", "inf"], 64,
            "--scale is not a finite number"
          ),
          (
            [
              "scenes", "create", fixture.user, "s", "t", "--collection",
              "\(String(repeating: "x", count: 65))",
            ],
            64, "--collection is longer than 64 characters"
          ),
          (
            ["report", fixture.user, "--html", "\(folder)/none/x"], 74,
            "cannot write \(folder)/none/x: No such file or directory"
          ),
          (
            ["report", fixture.user, "--html", folder], 74,
            "cannot write \(folder): Is a directory"
          ),
        ]
        for (arguments, code, error) in cases {
          let ending = try await Program.mockupctl.run(
            arguments, environment: ["MOCKUPD_SOCKET_PATH": fixture.server.socket])
          #expect(ending.exitCode == code, "\(arguments) \(ending)")
          // A command with an idempotency key adds it.
          let last = ending.errorLines.last?.split(separator: "; repeat with --id ").first
          #expect(last.map(String.init) == "mockupctl: \(error)", "\(arguments) \(ending)")
        }
      }
    }
  }

  @Test func `control characters in texts of other users are escaped`() async throws {
    try await Self.withFixture { fixture in
      let hostile = "a\u{1b}[2J\r\nmockupctl: forged\u{9b}\u{202e}"
      let id = try await fixture.scene(["--name", hostile, "--description", hostile])
      let visible = #"a\u{1b}[2J\r\nmockupctl: forged\u{9b}\u{202e}"#
      let list = try await fixture.mockupctl(["scenes", "list", fixture.user, "--own"])
      #expect(list.output.split(separator: "\n").count == 2)
      let show = try await fixture.mockupctl(["scenes", "show", id, "--user", fixture.user])
      for output in [list.output, show.output] {
        #expect(output.contains(visible), "\(output)")
        #expect(output.unicodeScalars.allSatisfy { $0 == "\n" || (0x20...0x7E).contains($0.value) })
      }
      let json = try await fixture.mockupctl(
        ["scenes", "show", id, "--user", fixture.user, "--output", "json"])
      #expect(
        json.output.unicodeScalars.allSatisfy { $0 == "\n" || (0x20...0x7E).contains($0.value) },
        "\(json)")
      #expect(json.output.contains(#""a\u001b[2J\r\nmockupctl: forged\u009b\u202e""#), "\(json)")
      // The argument parser's own error repeats the argument.
      let mistake = try await Program.mockupctl.run(["usage", "\u{1b}[2J"])
      #expect(mistake.errors.contains(#"'\u{1b}[2J'"#), "\(mistake)")
    }
  }

  @Test func `times in JSON and CSV include the date`() async throws {
    try await Self.withFixture { fixture in
      let format = /[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{3,9})?Z/
      let reservation = try await fixture.mockupctl(
        ["reserve", fixture.user, "1", "--output", "json"])
      let object = try #require(
        JSONSerialization.jsonObject(with: Data(reservation.output.utf8)) as? [String: Any])
      let expiry = try #require(object["expires_at"] as? String)
      #expect(expiry.wholeMatch(of: format) != nil, "\(expiry)")
      let stored = try await fixture.database.numbers(
        "SELECT (extract(epoch FROM expires_at) * 1000000)::bigint FROM mockupd.reservations")
      let told = try await fixture.database.numbers(
        "SELECT (extract(epoch FROM '\(expiry)'::timestamptz) * 1000000)::bigint")
      #expect(told == stored)
      _ = try await fixture.entry()
      let csv = try await fixture.mockupctl(["ledger", "export", fixture.user])
      let lines = csv.output.split(separator: "\r\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false)
      }
      let column = try #require(lines.first?.firstIndex(of: "created_at"))
      #expect(lines.last?[column].wholeMatch(of: format) != nil, "\(csv)")
    }
  }

  @Test func `an empty socket path is refused with the name of the variable`() async throws {
    let ending = try await Program.mockupctl.run(
      ["info"], environment: ["MOCKUPD_SOCKET_PATH": ""])
    #expect(ending.exitCode == 64)
    #expect(ending.errorLines == ["mockupctl: MOCKUPD_SOCKET_PATH is empty"])
  }
}
