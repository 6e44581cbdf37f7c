import Foundation
import StandardStreams
import Testing

@testable import mockupctl

/// The file that keeps the token of a watch.
@Suite struct TokenFileTests {
  private static func withFile(_ body: (TokenFile) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(TokenFile(path: folder.appending(path: "state").path))
  }

  @Test func `a token is read as it was written`() throws {
    try Self.withFile { file in
      #expect(try file.token() == nil)
      for token in ["one", String(repeating: "x", count: 1023)] {
        try file.write(token)
        #expect(try file.token() == token)
      }
    }
  }

  @Test func `a file without a token, or with a longer text, is an error`() throws {
    try Self.withFile { file in
      for (text, reason) in [
        ("\n", "has no token"),
        (String(repeating: "x", count: 1025), "is longer than 1024 bytes, so it has no token"),
      ] {
        try text.write(toFile: file.path, atomically: true, encoding: .utf8)
        let error = #expect(throws: CommandError.self) { try file.token() }
        #expect(
          error?.lines == ["\(file.path) \(reason); remove the file to watch from now on"])
        #expect(error?.exitCode == 64)
      }
    }
  }

  @Test func `a failed fsync is reported with its reason`() throws {
    try Self.withFile { file in
      // fsync(2) refuses a device that has no storage.
      try FileManager.default.createSymbolicLink(
        atPath: "\(file.path).new", withDestinationPath: "/dev/null")
      let error = #expect(throws: CommandError.self) { try file.write("token") }
      #expect(error?.lines == ["cannot write \(file.path).new: Invalid argument"])
    }
  }
}
