import Foundation
import Testing

/// A clock for programs of a test that differs from the machine's: Debian's package `faketime`,
/// which `scripts/setup` installs.
enum OtherClock {
  private static let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"

  /// Returns the environment of a program whose clock differs by an offset, such as `+1h`.
  ///
  /// - Parameter folder: A folder that exists while the program runs.
  static func environment(offset: String, folder: String) throws -> [String: String] {
    try base().merging(
      ["FAKETIME": offset, "LD_PRELOAD": "\(kernelTimers(in: folder)) \(library)"]) { $1 }
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
  private static func kernelTimers(in folder: String) throws -> String {
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
    let compiler = Process()
    compiler.executableURL = URL(filePath: "/usr/bin/env")
    compiler.arguments = ["cc", "-shared", "-fPIC", "-o", output, input]
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0)
    return output
  }

  private static func base() throws -> [String: String] {
    try #require(FileManager.default.fileExists(atPath: library), "run scripts/setup")
    // Timeouts use the monotonic clock.
    return ["LD_PRELOAD": library, "FAKETIME_DONT_FAKE_MONOTONIC": "1"]
  }
}
