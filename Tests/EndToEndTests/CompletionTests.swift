import Foundation
import TestSupport
import Testing

/// Shell completion scripts of `mockupctl`.
@Suite struct CompletionTests {
  @Test(arguments: ["bash", "zsh", "fish"])
  func `every shell has a script with every command`(shell: String) async throws {
    let script = try await Program.mockupctl.run(["completions", shell])
    #expect(script.exitCode == 0)
    for word in ["usage", "budget", "reservations", "resolve", "verify", "completions", "by-month"]
    {
      #expect(script.output.contains(word), "\(word)")
    }
  }

  @Test func `an unsupported shell is refused`() async throws {
    #expect(try await Program.mockupctl.run(["completions", "csh"]).exitCode == 64)
  }

  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/bin/bash")),
    arguments: [
      (["us"], ["usage", "usage-history"]), (["reservations", "res"], ["resolve"]),
      (["usage", "--by"], ["--by-month"]), (["usage", "--order", "mon"], ["monthly-used"]),
      (["mockups", "cl"], ["claim"]), (["mockups", "fail", "--no"], ["--no-retry"]),
      (["completions", "z"], ["zsh"]), (["usage", "--socket", "/etc/hostn"], ["/etc/hostname"]),
    ] as [([String], [String])])
  func `bash completes commands, options and option values`(words: [String], expected: [String])
    async throws
  {
    try await withTemporaryFolder { folder in
      let script = try await Program.mockupctl.run(["completions", "bash"])
      let file = "\(folder)/completions"
      try Data(script.output.utf8).write(to: URL(filePath: file))
      // Calls the completion function as bash does when TAB is pressed.
      let line = (["mockupctl"] + words).joined(separator: " ")
      let quoted = (["mockupctl"] + words).map { "'\($0)'" }.joined(separator: " ")
      let press = """
        source '\(file)'
        COMP_WORDS=(\(quoted)) COMP_CWORD=\(words.count)
        COMP_LINE='\(line)' COMP_POINT=\(line.utf8.count)
        completer=$(complete -p mockupctl | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p')
        "$completer" mockupctl '\(words.last ?? "")' '\(words.dropLast().last ?? "mockupctl")'
        printf '%s\\n' "${COMPREPLY[@]}"
        """
      let ending = try await RunningProgram(
        URL(filePath: "/bin/bash"), ["--norc", "-c", press], environment: [:],
        folder: URL(filePath: folder)
      ).ending()
      let replies = ending.output.split(separator: "\n")
        .map { $0.trimmingCharacters(in: .whitespaces) }
      #expect(replies == expected, "\(ending)")
    }
  }
}
