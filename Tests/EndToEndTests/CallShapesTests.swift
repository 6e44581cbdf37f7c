import Foundation
import TestSupport
import Testing

/// `mockupctl call` for a service that it knows only by reflection.
@Suite struct CallShapesTests {
  private static func call(
    _ method: String, _ arguments: [String] = [], input: String = "", at socket: String
  ) async throws -> Program.Ending {
    try await Program.mockupctl.run(
      ["call", "--socket", socket, method] + arguments, input: input)
  }

  @Test func `every call type reads requests from arguments and from standard input`() async throws
  {
    let cases: [(method: String, arguments: [String], input: String, output: [String])] = [
      ("Shapes/Once", [#"{"text":"a"}"#], "", [#"{"text":"a"}"#]),
      ("shapes.test.Shapes/Once", [], #"{"text":"a"}"#, [#"{"text":"a"}"#]),
      ("shapes.test.Shapes.Once", ["-"], "\n{\"text\":\"a\"}\n", [#"{"text":"a"}"#]),
      ("Once", [], "", ["{}"]),
      ("Once", [], #"{"text":"standard input"}"#, [#"{"text":"standard input"}"#]),
      ("Once", ["{}", "--defaults"], #"{"text":"unread"}"#, [#"{"text":""}"#]),
      ("Down", [#"{"text":"abc"}"#], "", [#"{"text":"a"}"#, #"{"text":"b"}"#, #"{"text":"c"}"#]),
      ("Down", [], "{}", []),
      ("Up", [#"{"text":"a"}"#, #"{"text":"b"}"#], "", [#"{"text":"ab"}"#]),
      ("Up", [], #"{"text":"a"}{"text":"b"}"# + "\n\n" + #"{"text":"c"}"#, [#"{"text":"abc"}"#]),
      ("Up", [], "", ["{}"]),
      ("Both", [#"{"text":"a"}"#, "{}"], "", [#"{"text":"a"}"#, "{}"]),
      ("Both", ["-"], #"{"text":"a"} {}"#, [#"{"text":"a"}"#, "{}"]),
      ("Once", [#"{"text":"a"}"#, "--pretty"], "", ["{", #"  "text": "a""#, "}"]),
      (
        "Once", [#"{"text":"a"}"#, "-H", "suffix=b=", "--metadata", "Suffix=c"], "",
        [#"{"text":"ab=c"}"#]
      ),
    ]
    try await Shapes.serve { socket in
      for (method, arguments, input, output) in cases {
        let ending = try await Self.call(method, arguments, input: input, at: socket)
        #expect(ending.exitCode == 0, "\(method) \(arguments) \(ending)")
        #expect(ending.errors.isEmpty, "\(method) \(arguments) \(ending)")
        #expect(
          ending.output == output.map { $0 + "\n" }.joined(), "\(method) \(arguments) \(ending)")
      }
    }
  }

  @Test func `responses are printed and the call ends while the input is still open`() async throws
  {
    try await Shapes.serve { socket in
      try await withTemporaryFolder { folder in
        let input = Pipe()
        let program = try Program.mockupctl.start(
          ["call", "--socket", socket, "Both"], input: input.fileHandleForReading, folder: folder)
        var expected = ""
        for word in ["a", "b", "stop"] {
          try input.fileHandleForWriting.write(contentsOf: Data(#"{"text":"\#(word)"}"#.utf8))
          expected += #"{"text":"\#(word)"}"# + "\n"
          try await program.waitForOutput(expected)
        }
        let ending = await program.ending()
        #expect(ending.exitCode == 0, "\(ending)")
        #expect(ending.errors.isEmpty, "\(ending)")
        try input.fileHandleForWriting.close()
      }
    }
  }

  @Test func `a call ends at its timeout while its input is open`() async throws {
    try await Shapes.serve { socket in
      try await withTemporaryFolder { folder in
        let input = Pipe()
        let program = try Program.mockupctl.start(
          ["call", "--socket", socket, "Up", "--timeout", "0.3"],
          input: input.fileHandleForReading, folder: folder)
        let ending = await program.ending()
        #expect(ending.exitCode == 75, "\(ending)")
        #expect(
          ending.errorLines == ["mockupctl: DEADLINE_EXCEEDED: the call's deadline has passed"])
        try input.fileHandleForWriting.close()
      }
    }
  }

  @Test func `an invalid request in a stream ends the call`() async throws {
    try await Shapes.serve { socket in
      let ending = try await Self.call(
        "Up", input: #"{"text":"a"}"# + "\n" + #"{"text":2}"#, at: socket)
      #expect(ending.exitCode == 64, "\(ending)")
      #expect(ending.output.isEmpty)
      #expect(ending.errorLines == ["mockupctl: request 2: text: a number is no string"])
    }
  }

  @Test func `an error is printed with its details`() async throws {
    try await Shapes.serve { socket in
      let ending = try await Self.call("Fail", [#"{"text":"wrong"}"#], at: socket)
      #expect(ending.exitCode == 1)
      #expect(ending.output.isEmpty)
      #expect(
        ending.errorLines == [
          #"mockupctl: ABORTED: no \u{1b}[31m"#, "  text: is wrong",
          "  retry after 2.0 seconds",
          #"  type.googleapis.com/shapes.test.Word: {"text":"inside"}"#,
        ])
    }
  }

  @Test func `a closed output pipe ends the call without an error line`() async throws {
    try await Shapes.serve { socket in
      try await withTemporaryFolder { folder in
        let pipeline = try RunningProgram(
          URL(filePath: "/bin/bash"),
          [
            "-c",
            #"yes '{"text":"a"}' 2>/dev/null | "$0" call --socket "$1" Both | head -n 2"#
              + #"; echo "${PIPESTATUS[1]}""#,
            Program.mockupctl.executable.path, socket,
          ],
          environment: [:], folder: URL(filePath: folder))
        let ending = await pipeline.ending()
        #expect(ending.output == "{\"text\":\"a\"}\n{\"text\":\"a\"}\n141\n")
        #expect(ending.errors.isEmpty, "\(ending)")
      }
    }
  }

  @Test func `a server without reflection is reported as an error`() async throws {
    try await Shapes.serve(hasReflection: false) { socket in
      for arguments in [["call", "Once"], ["describe"]] {
        let ending = try await Program.mockupctl.run(arguments + ["--socket", socket])
        #expect(ending.exitCode == 70)
        #expect(
          ending.errorLines == [
            "mockupctl: UNIMPLEMENTED: the server does not support reflection, "
              + "which this command needs"
          ])
      }
    }
  }
}

extension RunningProgram {
  /// Waits until the program's standard output equals a text.
  func waitForOutput(_ text: String) async throws {
    try await eventually("standard output is \(text)") {
      if output == text { return true }
      if let ending = knownEnding {
        throw Program.Failure(description: "the program ended: \(ending)")
      }
      return false
    }
  }

  /// Waits until the program's standard error contains a text.
  func waitForErrors(_ text: String) async throws {
    try await eventually("standard error contains \(text)") {
      if errors.contains(text) { return true }
      if let ending = knownEnding {
        throw Program.Failure(description: "the program ended: \(ending)")
      }
      return false
    }
  }
}
