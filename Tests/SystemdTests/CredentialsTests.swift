import Foundation
import TestSupport
import Testing

@testable import Systemd

/// Credentials of the service manager.
@Suite struct CredentialsTests {
  @Test func `a credential is read without the line breaks at its end`() throws {
    try Self.withFolder { folder in
      for (bytes, text) in [
        ("a\n", "a"), ("a", "a"), ("a\n\n", "a"), ("a\r\n", "a"), ("a\r\n\r\n", "a"), ("a\r", "a"),
        (" a b \n", " a b "), ("", ""), ("\n", ""), ("\r\n", ""),
      ] {
        try Data(bytes.utf8).write(to: URL(filePath: "\(folder)/password"))
        let read = try Credentials(directory: folder).text(named: "password")
        #expect(read == text)
      }
    }
  }

  @Test func `a credential of several lines is an error with its path`() throws {
    try Self.withFolder { folder in
      for text in ["a\nb", "a\r\nb\r\n", "\na", "a\n\nb", "a\rb", "a\n \n"] {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/password"))
        let error = try #require(throws: SystemdError.self) {
          try Credentials(directory: folder).text(named: "password")
        }
        #expect(
          error.description == "the credential \(folder)/password has more than one line")
      }
    }
  }

  @Test func `a missing credential is nil`() throws {
    try Self.withFolder { folder in
      let missing = try Credentials(directory: folder).text(named: "password")
      #expect(missing == nil)
    }
    let withoutFolder = try Credentials(directory: nil).text(named: "password")
    #expect(withoutFolder == nil)
  }

  @Test func `a credential that is not UTF-8 is an error with its path`() throws {
    try Self.withFolder { folder in
      try Data([0xff]).write(to: URL(filePath: "\(folder)/password"))
      let error = try #require(throws: SystemdError.self) {
        try Credentials(directory: folder).text(named: "password")
      }
      #expect(error.description == "the credential \(folder)/password is not UTF-8")
    }
  }

  @Test func `a relative directory is an error`() throws {
    let error = try #require(throws: SystemdError.self) { try Credentials(directory: "run") }
    #expect(
      error.description == "invalid CREDENTIALS_DIRECTORY \"run\": not an absolute path")
  }

  private static func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }
}
