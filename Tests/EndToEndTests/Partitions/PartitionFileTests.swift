import Foundation
import TestSupport
import Testing

/// The errors of `mockupd partitions` in its file.
@Suite struct PartitionFileTests {
  private static let nowhere = "postgresql://u:hunter2@/db?host=/nowhere"

  @Test func `a file that cannot be read is reported with the system's reason`() async throws {
    for (file, reason) in [
      ("/nonexistent", "No such file or directory"), ("/tmp", "Is a directory"),
      ("/dev/null", "not a regular file"),
    ] {
      let ending = try await Program.mockupd.run(["partitions", file])
      #expect(ending.exitCode == 1)
      #expect(ending.errors == "Error: cannot read \(file): \(reason)\n")
    }
  }

  @Test func `an error is reported with its line`() async throws {
    let nowhere = Self.nowhere
    let cases = [
      ("# a comment\r\n\r\n\(nowhere)\r\n", "line 3: the database is not reachable: "),
      ("\n\(nowhere)\npostgresql://[/x\n", "line 3: the database URL is malformed"),
      ("\(nowhere)\n\n\npostgresql:///db", "line 4: the URL of a partition must name the user"),
      ("\(nowhere)\n\(nowhere)\n", "line 2: two partitions have the same URL"),
    ]
    for (text, message) in cases {
      try await withTemporaryFolder { folder in
        let file = "\(folder)/partitions"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let ending = try await Program.mockupd.run(["partitions", file])
        #expect(ending.exitCode == 1)
        #expect(ending.errorLines.count == 1)
        #expect(ending.errors.hasPrefix("Error: \(file), \(message)"), "\(ending)")
        #expect(!ending.description.contains("hunter2"))
      }
    }
  }

  @Test func `another number of partitions is reported with the file`() async throws {
    try await withTemporaryFolder { folder in
      let file = "\(folder)/partitions"
      try "\n".write(toFile: file, atomically: true, encoding: .utf8)
      let ending = try await Program.mockupd.run(["partitions", file])
      #expect(ending.exitCode == 1)
      #expect(ending.errors.contains("\(file): the number of partitions must be"), "\(ending)")
    }
  }
}
