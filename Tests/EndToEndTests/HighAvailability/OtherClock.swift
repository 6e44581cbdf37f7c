import Foundation
import TestSupport
import Testing

/// A clock for programs of a test that differs from the machine's: Debian's package `faketime`,
/// which `scripts/setup` installs.
enum OtherClock {
  private static let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"

  /// Returns the environment of a program whose clock differs by an offset, such as `+1h`.
  ///
  /// - Parameter folder: A folder that exists while the program runs.
  static func environment(offset: String, folder: String) async throws -> [String: String] {
    let timers = try await kernelTimers(in: folder)
    return try base().merging(["FAKETIME": offset, "LD_PRELOAD": "\(timers) \(library)"]) { $1 }
  }

  /// Returns the environment of a program whose clock differs by the offset in a file, at any time.
  static func environment(offsetIn file: String) throws -> [String: String] {
    try base().merging(["FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1"]) { $1 }
  }

  /// Compiles a library that leaves timers to the kernel, and returns its path.
  ///
  /// `libfaketime` subtracts the offset from the deadline of every timer, even if the timer's clock
  /// is the monotonic one. Then a timer never fires, or, if the machine started after the offset,
  /// is invalid.
  private static func kernelTimers(in folder: String) async throws -> String {
    let source = """
      #include <sys/syscall.h>
      #include <sys/timerfd.h>
      #include <unistd.h>
      int timerfd_settime(
          int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value) {
        return syscall(SYS_timerfd_settime, fd, flags, new_value, old_value);
      }
      """
    let (input, output) = ("\(folder)/timers.c", "\(folder)/timers.so")
    try source.write(toFile: input, atomically: true, encoding: .utf8)
    let ending = try await RunningProgram(
      URL(filePath: "/usr/bin/cc"), ["-shared", "-fPIC", "-o", output, input], environment: [:],
      folder: URL(filePath: folder)
    ).ending()
    try #require(ending.exitCode == 0, "\(ending)")
    return output
  }

  private static func base() throws -> [String: String] {
    try #require(FileManager.default.fileExists(atPath: library), "run scripts/setup")
    // Timeouts use the monotonic clock.
    return ["LD_PRELOAD": library, "FAKETIME_DONT_FAKE_MONOTONIC": "1"]
  }
}
