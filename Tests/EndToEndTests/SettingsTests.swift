import Foundation
import Postgres
import TestSupport
import Testing

@testable import mockupd

/// Precedence of the sources of settings, and invalid settings.
@Suite struct SettingsTests {
  /// A configuration that the server refuses.
  struct InvalidSettings: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var arguments: [String] = []
    var environment: [String: String] = [:]
    var file: String?
    /// Texts that the error line must contain.
    var mentions: [String]
  }

  private static let invalidSettings: [InvalidSettings] =
    [
      InvalidSettings(
        testDescription: "no database", mentions: ["database.url", "MOCKUPD_DATABASE_URL"]),
      InvalidSettings(
        testDescription: "a socket path of 108 bytes",
        arguments: ["--socket", "/" + String(repeating: "s", count: 107)],
        environment: ["MOCKUPD_DATABASE_URL": "postgresql:///nowhere?host=/nowhere"],
        mentions: ["socket.path", "longer than 107 bytes"]),
      InvalidSettings(
        testDescription: "an unknown key", file: #"{"limits": {"conections": 5}}"#,
        mentions: ["settings.json", "limits.conections"]),
      InvalidSettings(
        testDescription: "an unknown group", file: #"{"limit": {"maxConnections": 5}}"#,
        mentions: ["settings.json", "limit.maxConnections"]),
      InvalidSettings(
        testDescription: "a key with a dot", file: #"{"limits.maxConcurrentCalls": 5}"#,
        mentions: ["settings.json", "limits.maxConcurrentCalls"]),
      InvalidSettings(
        testDescription: "a value where keys belong", file: #"{"limits": 5}"#,
        mentions: ["settings.json", "limits"]),
      InvalidSettings(
        testDescription: "a file that is not JSON", file: "limits: 5",
        mentions: ["settings.json", "JSON"]),
      InvalidSettings(
        testDescription: "a file with an array", file: "[]", mentions: ["settings.json", "object"]),
      InvalidSettings(
        testDescription: "a missing file", arguments: ["--config", "/nowhere/settings.json"],
        mentions: ["/nowhere/settings.json"]),
      InvalidSettings(
        testDescription: "a string for a number",
        file: #"{"limits": {"maxConcurrentCalls": "many"}}"#,
        mentions: ["limits.maxConcurrentCalls"]),
      InvalidSettings(
        testDescription: "a fraction", file: #"{"limits": {"maxConcurrentCalls": 1.5}}"#,
        mentions: ["limits.maxConcurrentCalls"]),
      InvalidSettings(
        testDescription: "a Boolean for a number",
        file: #"{"limits": {"maxConcurrentCalls": true}}"#,
        mentions: ["limits.maxConcurrentCalls"]),
      InvalidSettings(
        testDescription: "null for a number", file: #"{"limits": {"maxConcurrentCalls": null}}"#,
        mentions: ["limits.maxConcurrentCalls"]),
      InvalidSettings(
        testDescription: "a number for a string", file: #"{"socket": {"path": 5}}"#,
        mentions: ["socket.path"]),
      InvalidSettings(
        testDescription: "a number beyond 64 bits",
        file: #"{"limits": {"maxConcurrentCalls": 99999999999999999999}}"#,
        mentions: ["limits.maxConcurrentCalls"]),
      InvalidSettings(
        testDescription: "an unknown socket group",
        arguments: ["--socket-group", "no-such-group"],
        mentions: ["socket.group", "no-such-group"]),
      InvalidSettings(
        testDescription: "a mode that is not octal", arguments: ["--socket-mode", "0980"],
        mentions: ["socket.mode", "0980"]),
      InvalidSettings(
        testDescription: "a mode with the setuid bit", arguments: ["--socket-mode", "4777"],
        mentions: ["socket.mode", "4777"]),
      InvalidSettings(
        testDescription: "a mode with a sign", arguments: ["--socket-mode", "+660"],
        mentions: ["socket.mode", "+660"]),
      InvalidSettings(
        testDescription: "the group id that means no group",
        arguments: ["--socket-group", "4294967295"], mentions: ["socket.group", "4294967295"]),
      InvalidSettings(
        testDescription: "the group id that means no group, in the file",
        file: #"{"socket": {"path": "/nowhere/socket", "group": 4294967295}}"#,
        mentions: ["socket.group", "4294967295"]),
      InvalidSettings(
        testDescription: "a group with a sign", arguments: ["--socket-group", "+1"],
        mentions: ["socket.group", "+1"]),
      InvalidSettings(
        testDescription: "a group with a sign in the environment",
        environment: ["MOCKUPD_SOCKET_GROUP": "+1"], mentions: ["socket.group", "+1"]),
      InvalidSettings(
        testDescription: "a group that is a fraction",
        file: #"{"socket": {"path": "/nowhere/socket", "group": 1.5}}"#,
        mentions: ["socket.group", "neither a string nor an integer"]),
      InvalidSettings(
        testDescription: "a path with a null character",
        file: #"{"socket": {"path": "/nowhere/so\u0000cket"}}"#,
        mentions: ["socket.path", "U+0000"]),
      InvalidSettings(
        testDescription: "a group with a null character",
        file: #"{"socket": {"path": "/nowhere/socket", "group": "root\u0000x"}}"#,
        mentions: ["socket.group", "U+0000"]),
      InvalidSettings(
        testDescription: "a policy with a null character",
        file: #"{"policy": {"reader": ["user:root\u0000x"]}}"#,
        mentions: ["policy.reader", "U+0000"]),
      InvalidSettings(
        testDescription: "a string with a control character",
        file: "{\"log\": {\"level\":\n \"in\tfo\"}}",
        mentions: ["settings.json", "is not valid JSON"]),
      InvalidSettings(
        testDescription: "a URL of two lines",
        environment: ["MOCKUPD_DATABASE_LISTENER_URL": "postgresql:///a\r\npostgresql:///b"],
        mentions: ["database.listenerUrl", "line break"]),
      InvalidSettings(
        testDescription: "a folder for a file", arguments: ["--config", "/tmp"],
        mentions: ["cannot read /tmp: Is a directory"]),
      InvalidSettings(
        testDescription: "a device for a file", arguments: ["--config", "/dev/null"],
        mentions: ["cannot read /dev/null: not a regular file"]),
      InvalidSettings(
        testDescription: "a list for a string", file: #"{"socket": {"path": ["a"]}}"#,
        mentions: ["settings.json", "socket.path"]),
      InvalidSettings(
        testDescription: "a policy that is a number", file: #"{"policy": {"reader": 5}}"#,
        mentions: ["policy.reader", "list of strings"]),
      InvalidSettings(
        testDescription: "a policy that is a list of numbers",
        file: #"{"policy": {"reader": [5]}}"#, mentions: ["policy.reader", "list of strings"]),
      InvalidSettings(
        testDescription: "a policy that lists an unknown group",
        file: #"{"policy": {"reader": ["uid:5", "group:no-such-group"]}}"#,
        mentions: ["policy.reader", "group:no-such-group", "not a group"]),
      InvalidSettings(
        testDescription: "a policy with an unknown user",
        environment: ["MOCKUPD_POLICY_SERVICE": "uid:1, user:no-such-user"],
        mentions: ["policy.service", "user:no-such-user", "not a user"]),
      InvalidSettings(
        testDescription: "an unknown log level", arguments: ["--log-level", "loud"],
        mentions: ["log.level", "loud", "warning"]),
      InvalidSettings(
        testDescription: "an unknown log format", environment: ["MOCKUPD_LOG_FORMAT": "xml"],
        mentions: ["log.format", "xml", "json"]),
    ]
    + [
      (
        "MOCKUPD_LIMITS_MAX_CONCURRENT_CALLS", "limits.maxConcurrentCalls",
        ["0", "-1", "1000001", "many", "1e3", ""]
      ),
      ("MOCKUPD_LIMITS_MAX_MESSAGE_BYTES", "limits.maxMessageBytes", ["1023", "4194305"]),
      ("MOCKUPD_LIMITS_IDLE_TIMEOUT_SECONDS", "limits.idleTimeoutSeconds", ["-1", "1.5"]),
      (
        "MOCKUPD_LIMITS_MAX_CONNECTIONS_PER_USER", "limits.maxConnectionsPerUser", ["0", "1000001"]
      ),
      (
        "MOCKUPD_LIMITS_MAX_CONNECTIONS_PER_GUEST", "limits.maxConnectionsPerGuest",
        ["0", "1000001"]
      ),
      ("MOCKUPD_LIMITS_RESERVED_CONNECTIONS", "limits.reservedConnections", ["-1", "1001"]),
      (
        "MOCKUPD_LIMITS_MAX_CONNECTIONS_PER_SECOND_PER_USER",
        "limits.maxConnectionsPerSecondPerUser", ["-1", "1000001"]
      ),
      (
        "MOCKUPD_LIMITS_MAX_CONCURRENT_CALLS_PER_USER", "limits.maxConcurrentCallsPerUser",
        ["0", "1000001"]
      ),
      (
        "MOCKUPD_LIMITS_MAX_CONCURRENT_CALLS_PER_GUEST", "limits.maxConcurrentCallsPerGuest",
        ["0", "1000001"]
      ),
      ("MOCKUPD_LIMITS_MAX_ENDLESS_CALLS", "limits.maxEndlessCalls", ["0", "1000001"]),
      (
        "MOCKUPD_LIMITS_MAX_ENDLESS_CALLS_PER_USER", "limits.maxEndlessCallsPerUser",
        ["0", "1000001"]
      ),
      (
        "MOCKUPD_LIMITS_MAX_ENDLESS_CALLS_PER_GUEST", "limits.maxEndlessCallsPerGuest",
        ["0", "1000001"]
      ),
      (
        "MOCKUPD_LIMITS_MAX_ENDLESS_CALLS_PER_CONNECTION", "limits.maxEndlessCallsPerConnection",
        ["0", "1000001"]
      ),
      (
        "MOCKUPD_LIMITS_SLOW_READER_TIMEOUT_SECONDS", "limits.slowReaderTimeoutSeconds",
        ["-1", "3601"]
      ),
      ("MOCKUPD_SOCKET_BACKLOG", "socket.backlog", ["0", "1000001"]),
      ("MOCKUPD_DATABASE_POOL_SIZE", "database.poolSize", ["0", "257"]),
      (
        "MOCKUPD_POLICY_ADMIN", "policy.admin",
        [
          "", ",", "root", "uid", "uid:", "uid:root", "uid:-1", "uid:+1", "uid:4294967295",
          "gid:4294967296", "UID:1", "user:", "uid:1:2", "role:admin",
        ]
      ),
      (
        "MOCKUPD_DATABASE_STATEMENT_TIMEOUT_SECONDS", "database.statementTimeoutSeconds",
        ["0", "9223372036854775808"]
      ),
    ].flatMap { variable, key, values in
      values.map { value in
        InvalidSettings(
          testDescription: "\(key) \"\(value)\"", environment: [variable: value],
          mentions: [key, variable])
      }
    }

  @Test(arguments: invalidSettings) func `an invalid setting is reported in one line with its name`(
    settings: InvalidSettings
  )
    async throws
  {
    try await withTemporaryFolder { folder in
      var arguments = ["--socket", "\(folder)/no/socket"]
      if let file = settings.file {
        try file.write(toFile: "\(folder)/settings.json", atomically: true, encoding: .utf8)
        arguments += ["--config", "\(folder)/settings.json"]
        if file.contains("\"socket\"") { arguments.removeFirst(2) }
      }
      var environment = settings.environment
      if settings.testDescription != "no database" {
        environment["MOCKUPD_DATABASE_URL"] = "postgresql://u:hunter2@/db?host=\(folder)"
      }
      for command in ["serve", "check"] {
        let ending = try await Program.mockupd.run(
          [command] + arguments + settings.arguments, environment: environment)
        #expect(ending.exitCode == 78, "\(ending)")
        #expect(ending.output.isEmpty)
        #expect(ending.errorLines.count == 1, "\(ending)")
        for text in settings.mentions { #expect(ending.errors.contains(text), "\(ending)") }
        #expect(!ending.errors.contains("hunter2"), "\(ending)")
      }
    }
  }

  @Test func `flags override the environment and the environment overrides the file`() async throws
  {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        func serve(_ arguments: [String], _ environment: [String: String]) async throws -> String {
          let process = try Program.mockupd.start(
            ["serve"] + arguments, environment: environment, folder: folder)
          try await eventually { !process.output.isEmpty || process.knownEnding != nil }
          process.signal(SIGTERM)
          return await process.ending().output
        }
        let file = "\(folder)/settings.json"
        let settings = [
          "socket": ["path": "\(folder)/file"], "database": ["url": database.service.url],
        ]
        try JSONEncoder().encode(settings).write(to: URL(filePath: file))
        let environment = ["MOCKUPD_SOCKET_PATH": "\(folder)/environment"]
        #expect(try await serve(["--config", file], [:]) == "ready \(folder)/file\n")
        #expect(
          try await serve(["--config", file], environment) == "ready \(folder)/environment\n")
        #expect(
          try await serve(["--config", file, "--socket", "\(folder)/flag"], environment)
            == "ready \(folder)/flag\n")
      }
    }
  }

  @Test func `every setting is listed with its variable and default`() async throws {
    let ending = try await Program.mockupd.run(["settings"])
    #expect(ending.exitCode == 0)
    let lines = ending.output.split(separator: "\n").map(String.init)
    let keys = lines.filter { !$0.hasPrefix(" ") }
    for key in ["socket.path", "database.url", "limits.idleTimeoutSeconds", "log.format"] {
      #expect(keys.contains(key))
    }
    #expect(lines.count == 4 * keys.count)
    #expect(lines.filter { $0.hasPrefix("    MOCKUPD_") }.count == keys.count)
    #expect(lines.contains("    MOCKUPD_LIMITS_IDLE_TIMEOUT_SECONDS"))
    #expect(lines.contains("    integer, 0 to 31536000; default: 0"))
  }

  @Test func `the effective settings have their values and sources, and hide secrets`()
    async throws
  {
    try await withTemporaryFolder { folder in
      let file = "\(folder)/settings.json"
      try #"""
      {"limits": {"maxConnections": 5}, "log": {"level": "error", "format": "json"},
       "database": {"poolSize": 5.5}, "policy": {"service": ["uid:1", "gid:2"]}}
      """#.write(toFile: file, atomically: true, encoding: .utf8)
      try "host=/nowhere password=hunter2".write(
        toFile: "\(folder)/database.url", atomically: true, encoding: .utf8)
      let ending = try await Program.mockupd.run(
        ["settings", "--effective", "--config", file, "--log-level", "info"],
        environment: [
          "MOCKUPD_LOG_LEVEL": "debug", "MOCKUPD_LOG_FORMAT": "text",
          "CREDENTIALS_DIRECTORY": folder,
        ])
      #expect(ending.exitCode == 0, "\(ending)")
      let lines = ending.output.split(separator: "\n").map { line in
        line.split(separator: "  ").map { $0.trimmingCharacters(in: .whitespaces) }
      }
      #expect(lines.count == SettingKey.allCases.count)
      for line in [
        ["log.level", "flag", "info"], ["log.format", "environment", "text"],
        ["database.url", "credential", "(hidden)"], ["limits.maxConnections", "file", "5"],
        ["policy.service", "file", "uid:1, gid:2"], ["database.poolSize", "file", "5.5"],
        ["server.eventLoops", "default", "1"],
      ] {
        #expect(lines.contains(line), "\(line): \(ending)")
      }
      #expect(!ending.description.contains("hunter2"))

      let unset = try await Program.mockupd.run(["settings", "--effective"])
      #expect(unset.output.contains(/\ndatabase\.url +not set +\(required\)\n/), "\(unset)")
      let unread = try await Program.mockupd.run(["settings", "--config", file])
      #expect(unread.exitCode == 64, "\(unread)")
    }
  }

  @Test func `the settings article contains the tables that the program prints`() async throws {
    let tables = try await Program.mockupd.run(["settings", "--markdown"]).output
    let root = URL(filePath: #filePath).appending(path: "../../..").standardized
    let article = try String(
      contentsOf: root.appending(path: "Sources/mockupd/mockupd.docc/Settings.md"), encoding: .utf8)
    #expect(tables.count > 1000)
    #expect(article.hasSuffix(tables), "append the output of mockupd settings --markdown to it")
  }

  @Test func `the group of the socket may be a number in the file`() async throws {
    try await withTemporaryFolder { folder in
      try #"{"socket": {"group": 5}, "database": {"url": "postgresql:///x"}}"#
        .write(toFile: "\(folder)/settings.json", atomically: true, encoding: .utf8)
      let ending = try await Program.mockupd.run(["check", "--config", "\(folder)/settings.json"])
      #expect(ending.exitCode == 0, "\(ending)")
    }
  }

  @Test func `a misspelt environment variable is reported`() async throws {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(
          on: database.service, settings: ["MOCKUPD_LIMITS_MAX_CONECTIONS": "5"], folder: folder)
        let ending = await server.stop()
        #expect(ending.exitCode == 0)
        #expect(ending.errors.contains("MOCKUPD_LIMITS_MAX_CONECTIONS"), "\(ending)")
      }
    }
  }

  @Test func `every empty setting is refused with its name`() async throws {
    let list = try await Program.mockupd.run(["settings"]).output.split(separator: "\n")
    let variables = list.compactMap { line in
      line.hasPrefix("    MOCKUPD_") ? line.trimmingCharacters(in: .whitespaces) : nil
    }
    #expect(variables.count > 30)
    for variable in variables {
      var environment = ["MOCKUPD_DATABASE_URL": "postgresql:///nowhere?host=/nowhere"]
      environment[variable] = ""
      let ending = try await Program.mockupd.run(["serve"], environment: environment)
      #expect(ending.exitCode == 78, "\(variable) \(ending)")
      #expect(ending.errorLines.count == 1, "\(variable) \(ending)")
      #expect(ending.errors.hasSuffix("(\(variable)) is empty\n"), "\(variable) \(ending)")
    }
  }

  @Test func `a malformed database URL is refused without printing its password`() async throws {
    for url in [
      "postgresql://u:hunter2@[/db", "password=hunter2 host", "host=a passwort=hunter2", "",
    ] {
      for command in [["serve", "--socket", "/nowhere/socket"], ["migrate"]] {
        let ending = try await Program.mockupd.run(
          command, environment: ["MOCKUPD_DATABASE_URL": url])
        #expect(ending.exitCode == 78)
        #expect(ending.errorLines.count == 1, "\(ending)")
        #expect(ending.errors.contains("database.url"), "\(ending)")
        #expect(!ending.description.contains("hunter2"), "\(ending)")
      }
    }
  }

  @Test func `the JSON log format writes one object for each line`() async throws {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(
          on: database.service, arguments: ["--log-format", "json"],
          settings: ["MOCKUPD_LOG_LEVEL": "trace"], folder: folder)
        let peer = try RawPeer(path: server.socket)
        try await peer.send(Array("hello\r\n".utf8))
        #expect(try await peer.isClosed())
        let ending = await server.stop()
        #expect(ending.exitCode == 0)
        #expect(ending.errorLines.count > 3)
        for line in ending.errorLines {
          let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
          for key in ["time", "level", "message"] {
            #expect(object?[key] is String, "\(line)")
          }
        }
        #expect(ending.errors.contains("does not speak ttrpc"))
      }
    }
  }
}
