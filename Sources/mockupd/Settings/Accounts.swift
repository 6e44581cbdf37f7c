internal import Dispatch
internal import Glibc

/// Lookups of the system's users and groups by name.
///
/// A lookup may query another machine, for example over LDAP, so it runs on a thread that may
/// block.
enum Accounts {
  /// Returns the uid of a user, or `nil` if there is no user with the name.
  ///
  /// - Throws: ``Failure`` if the lookup fails.
  static func userID(named name: String) async throws -> UInt32? {
    try await onThread {
      var entry = unsafe passwd()
      return try unsafe lookUp { buffer, length in
        var result: UnsafeMutablePointer<passwd>?
        let code = unsafe getpwnam_r(name, &entry, buffer, length, &result)
        return (code, unsafe result.map { unsafe $0.pointee.pw_uid })
      }
    }
  }

  /// Returns the gid of a group, or `nil` if there is no group with the name.
  ///
  /// - Throws: ``Failure`` if the lookup fails.
  static func groupID(named name: String) async throws -> UInt32? {
    try await onThread {
      var entry = unsafe group()
      return try unsafe lookUp { buffer, length in
        var result: UnsafeMutablePointer<group>?
        let code = unsafe getgrnam_r(name, &entry, buffer, length, &result)
        return (code, unsafe result.map { unsafe $0.pointee.gr_gid })
      }
    }
  }

  /// The error of a failed lookup.
  struct Failure: Error, CustomStringConvertible {
    /// The errno of the lookup.
    let code: Int32

    var description: String { unsafe String(cString: strerror(code)) }
  }

  /// The maximum size in bytes of an entry, which includes a group's members.
  private static let maxEntryBytes = 1 << 24

  /// Runs a lookup, and enlarges its buffer until the entry fits.
  private static func lookUp(
    _ ask: (UnsafeMutablePointer<CChar>, Int) -> (code: Int32, id: UInt32?)
  ) throws -> UInt32? {
    var length = 4096
    while true {
      let (code, id) = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: length) {
        guard let start = $0.baseAddress else { return (code: ENOMEM, id: UInt32?.none) }
        return unsafe ask(start, length)
      }
      switch code {
      case 0: return id
      // The manual lists these codes for an entry that does not exist.
      case ENOENT, ESRCH, EBADF, EPERM: return nil
      case ERANGE where length < maxEntryBytes: length *= 4
      case EINTR: continue
      default: throw Failure(code: code)
      }
    }
  }

  private static func onThread(
    _ body: @escaping @Sendable () throws -> UInt32?
  ) async throws -> UInt32? {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
    }
  }
}
