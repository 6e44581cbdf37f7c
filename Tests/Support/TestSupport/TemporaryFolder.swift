internal import Foundation

/// Runs a closure with a new folder, whose path is short enough for sockets, and removes the
/// folder.
///
/// The folder is in `MOCKUPD_TEST_FOLDER`, where `scripts/test` finds what is left of a run that
/// was ended, or in `/tmp`.
public func withTemporaryFolder<Value>(
  _ body: (String) async throws -> Value
) async throws -> Value {
  let parent = ProcessInfo.processInfo.environment["MOCKUPD_TEST_FOLDER"] ?? "/tmp"
  let path = "\(parent)/mockupd-\(UUID().uuidString.prefix(13))"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}
