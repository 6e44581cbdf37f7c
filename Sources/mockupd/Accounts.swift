internal import Dispatch
internal import Glibc

/// The system's users and groups, by their names.
///
/// They may be on another machine, so each question is asked on a thread that may wait.
enum Accounts {
  /// A user's number; nothing where no user has the name.
  ///
  /// - Throws: ``Failure`` where the system cannot tell.
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

  /// A group's number; nothing where no group has the name.
  ///
  /// - Throws: ``Failure`` where the system cannot tell.
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

  /// The system cannot tell.
  struct Failure: Error, CustomStringConvertible {
    let code: Int32

    var description: String { unsafe String(cString: strerror(code)) }
  }

  /// An entry with all its members fits in here, or is given up.
  private static let longestEntry = 1 << 24

  /// Asks with a buffer that is large enough for the entry.
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
      // Ways to say that there is none, by the manual.
      case ENOENT, ESRCH, EBADF, EPERM: return nil
      case ERANGE where length < longestEntry: length *= 4
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
