import Foundation
import TestSupport
import Testing

/// The shell commands of the README, with the variables that `scripts/serve` prints.
@Suite struct ReadmeTests {
  private static let readme = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "README.md")

  /// Returns the lines of the shell blocks in a section of the README.
  private static func commands(in section: String) throws -> [String] {
    let text = try String(contentsOf: readme, encoding: .utf8)
    let body = try #require(
      text.components(separatedBy: "\n## ").first { $0.hasPrefix("\(section)\n") })
    return body.components(separatedBy: "```sh\n").dropFirst().flatMap { block in
      block.components(separatedBy: "\n```")[0].split(separator: "\n").map(String.init)
    }
  }

  @Test func `the commands of the section on mockupctl work one after the other`() async throws {
    let commands = try Self.commands(in: "Command line").filter { !$0.hasPrefix("grpcurl ") }
    #expect(commands.count >= 6)
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser().uuidString.lowercased()
      let programs = Program.mockupctl.executable.deletingLastPathComponent().path
      try await database.withServer { server in
        let variables = [
          "PATH": "\(programs):/usr/bin:/bin", "MOCKUPD_SOCKET_PATH": server.socket,
          "USER_ID": user, "RESERVATION_ID": UUID().uuidString.lowercased(),
        ]
        let asset = UUID()
        try await database.owner.run(
          "INSERT INTO public.assets (id, user_id) VALUES ('\(asset)', '\(user)')")
        let mockup = try await Program.mockupctl.run(
          ["generate", user, "--asset", "\(asset)", "--scene", "bedroom"], environment: variables)
        #expect(mockup.exitCode == 0, "\(mockup)")
        for command in commands {
          try await withTemporaryFolder { folder in
            let shell = try RunningProgram(
              URL(filePath: "/bin/sh"), ["-uc", "exec \(command)"], environment: variables,
              folder: URL(filePath: folder))
            if command.contains(" watch ") {
              // A watch has no end.
              try await eventually("the watch prints the mockup") {
                if let ending = shell.knownEnding {
                  throw Program.Failure(description: "\(command): \(ending)")
                }
                return shell.output.contains("pending")
              }
              shell.signal(SIGTERM)
              _ = await shell.ending()
            } else {
              let ending = await shell.ending()
              #expect(ending.exitCode == 0, "\(command): \(ending)")
            }
          }
        }
      }
    }
  }
}
