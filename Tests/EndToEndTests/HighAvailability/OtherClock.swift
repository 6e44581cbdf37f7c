import Foundation
import Testing

/// A clock for programs of a test that differs from the machine's: Debian's package `faketime`,
/// which `scripts/setup` installs.
enum OtherClock {
  private static let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"

  /// Returns the environment of a program whose clock differs by an offset, such as `+1h`.
  static func environment(offset: String) throws -> [String: String] {
    try base().merging(["FAKETIME": offset]) { $1 }
  }

  /// Returns the environment of a program whose clock differs by the offset in a file, at any time.
  static func environment(offsetIn file: String) throws -> [String: String] {
    try base().merging(["FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1"]) { $1 }
  }

  private static func base() throws -> [String: String] {
    try #require(FileManager.default.fileExists(atPath: library), "run scripts/setup")
    // Timeouts use the monotonic clock.
    return ["LD_PRELOAD": library, "FAKETIME_DONT_FAKE_MONOTONIC": "1"]
  }
}
