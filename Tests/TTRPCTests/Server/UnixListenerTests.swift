import Foundation
import TestSupport
import Testing

@testable import TTRPC

@Suite struct UnixListenerTests {
  /// Listens at a path, and returns the reason if that fails.
  private static func failure(at path: String) -> String? {
    do throws(UnixListener.Failure) {
      try UnixListener(path: path).close()
      return nil
    } catch {
      return error.reason
    }
  }

  @Test func `the socket file has the given mode and group, and is removed on close`() async throws
  {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      let group = getegid()
      let listener = try UnixListener(path: path, mode: 0o640, groupID: group)
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect(attributes[.posixPermissions] as? Int == 0o640)
      #expect(attributes[.groupOwnerAccountID] as? Int == Int(group))
      listener.close()
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  @Test func `a stale socket is replaced, and a live one is not`() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      var live: RawListener? = try RawListener(path: path)
      #expect(Self.failure(at: path) == "another server is already listening")
      #expect(live != nil)
      live = nil
      #expect(FileManager.default.fileExists(atPath: path))
      #expect(Self.failure(at: path) == nil)
    }
  }

  @Test func `a file that is not a socket is kept`() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/notes"
      try Data("kept".utf8).write(to: URL(filePath: path))
      #expect(Self.failure(at: path) == "the file exists and is not a socket")
      #expect(try Data(contentsOf: URL(filePath: path)) == Data("kept".utf8))
    }
  }

  @Test func `a listener does not remove the socket file of another on close`() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      let first = try UnixListener(path: path)
      try FileManager.default.removeItem(atPath: path)
      let second = try RawListener(path: path)
      first.close()
      #expect(throws: Never.self) { try RawPeer(path: path) }
      _ = second
    }
  }

  @Test func `invalid socket paths are refused`() async throws {
    try await withTemporaryFolder { folder in
      let longest = "\(folder)/" + String(repeating: "s", count: 106 - folder.utf8.count)
      #expect(longest.utf8.count == 107)
      #expect(Self.failure(at: longest) == nil)
      #expect(Self.failure(at: longest + "s") == "the path is longer than 107 bytes")
      #expect(Self.failure(at: "") == "the path is empty or contains a null byte")
      #expect(Self.failure(at: "\0abstract") == "the path is empty or contains a null byte")
      #expect(Self.failure(at: "\(folder)/none/socket") == "bind: No such file or directory")
    }
  }
}
