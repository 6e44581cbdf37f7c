internal import Foundation
internal import Glibc
internal import StandardStreams

/// A file that keeps a token across restarts and crashes.
struct TokenFile {
  let path: String

  /// The instruction for a file without a valid token.
  static let removalHint = "remove the file to watch from now on"

  /// The maximum size of the file, in bytes: far more than a token has.
  private static let maximumSize = 1024

  /// Returns the token, or `nil` if the file does not exist.
  ///
  /// - Throws: `CommandError` if the file cannot be read, is empty, or is too long for a token.
  func token() throws(CommandError) -> String? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw CommandError("cannot open \(path)", systemError: errno)
    }
    defer { close(descriptor) }
    var count = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Self.maximumSize + 1) {
      buffer, initialized in
      count = unsafe read(descriptor, buffer.baseAddress, buffer.count)
      initialized = max(count, 0)
    }
    guard count >= 0 else { throw CommandError("cannot read \(path)", systemError: errno) }
    guard count <= Self.maximumSize else {
      throw CommandError(
        "\(path) is longer than \(Self.maximumSize) bytes, so it has no token; "
          + Self.removalHint, exitCode: CommandError.usage)
    }
    let token = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
    guard !token.isEmpty else {
      throw CommandError(
        "\(path) has no token; \(Self.removalHint)", exitCode: CommandError.usage)
    }
    return token
  }

  /// Replaces the token, so that a crash leaves either the old one or the new one.
  ///
  /// - Throws: `CommandError` if the file cannot be written.
  func write(_ token: String) throws(CommandError) {
    let new = path + ".new"
    do {
      let descriptor = unsafe open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else {
        throw CommandError("cannot open \(new)", systemError: errno)
      }
      defer { close(descriptor) }
      let bytes = Array("\(token)\n".utf8)
      let written = unsafe Glibc.write(descriptor, bytes, bytes.count)
      guard written == bytes.count else {
        // A part is written if the space is not enough for all.
        throw CommandError("cannot write \(new)", systemError: written < 0 ? errno : ENOSPC)
      }
      guard fsync(descriptor) == 0 else {
        throw CommandError("cannot write \(new)", systemError: errno)
      }
    }
    guard unsafe rename(new, path) == 0 else {
      throw CommandError("cannot replace \(path)", systemError: errno)
    }
  }
}
