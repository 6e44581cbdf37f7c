internal import Foundation

/// Runs a closure with a new folder, whose path is short enough for sockets, and removes the
/// folder.
public func withTemporaryFolder<Value>(
  _ body: (String) async throws -> Value
) async throws -> Value {
  let path = "/tmp/mockupd-\(UUID().uuidString.prefix(13))"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}
