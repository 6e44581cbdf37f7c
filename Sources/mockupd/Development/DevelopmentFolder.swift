internal import Foundation
internal import Glibc
internal import StandardStreams

/// The temporary folder of a `mockupd dev`, which is locked while the program runs.
///
/// The kernel releases the lock when the process ends, in whatever way. So an unlocked folder is
/// what a killed `mockupd dev` has left.
final class DevelopmentFolder: Sendable {
  private static let prefix = "mockupd-dev-"

  /// The absolute path.
  let path: String
  private let lock: Int32

  private init(path: String, lock: Int32) {
    self.path = path
    self.lock = lock
  }

  deinit { close(lock) }

  /// Creates a folder with a random name.
  ///
  /// Every user may pass through the folder of root, because PostgreSQL runs as another user.
  ///
  /// - Throws: `CommandError` if the system refuses it.
  static func create(in parent: String) throws(CommandError) -> DevelopmentFolder {
    var template = Array("\(parent)/\(prefix)XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw CommandError("cannot create a folder in \(parent)", systemError: errno)
    }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // The lock gets its name when it is held: until then the folder has no lock, and no other
    // `mockupd dev` takes it for one that was left.
    let unheld = "\(path)/lock.new"
    let descriptor = unsafe open(unheld, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0,
      unsafe rename(unheld, "\(path)/lock") == 0,
      unsafe chmod(path, geteuid() == 0 ? 0o755 : 0o700) == 0
    else {
      let problem = errno
      try? FileManager.default.removeItem(atPath: path)
      throw CommandError("cannot lock \(path)", systemError: problem)
    }
    return DevelopmentFolder(path: path, lock: descriptor)
  }

  /// Returns the folders in a parent that killed processes of this user have left, and locks them.
  static func abandoned(in parent: String) -> [DevelopmentFolder] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    return names.filter { $0.hasPrefix(prefix) }.sorted().compactMap { name in
      let path = "\(parent)/\(name)"
      var status = stat()
      guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
        status.st_uid == geteuid()
      else { return nil }
      let descriptor = unsafe open("\(path)/lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { return nil }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        close(descriptor)
        return nil
      }
      return DevelopmentFolder(path: path, lock: descriptor)
    }
  }

  /// Removes the folder with everything in it.
  ///
  /// - Throws: `CommandError` with the path if something is left.
  func remove() throws(CommandError) {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      throw CommandError(
        "cannot remove \(path): \(plainText(ofFileError: error))",
        exitCode: CommandError.inputOutput)
    }
  }
}
