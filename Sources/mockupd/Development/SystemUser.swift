internal import Glibc

/// A user of the system that runs other programs for root.
struct SystemUser: Sendable {
  let userID: UInt32
  let groupID: UInt32

  /// Returns the user who runs PostgreSQL, which refuses to run as root; `nil` for the own user.
  ///
  /// Root's PostgreSQL runs as the user of Debian's package, or as the user without rights.
  static var ofPostgres: SystemUser? {
    geteuid() == 0 ? named("postgres") ?? named("nobody") : nil
  }

  private static func named(_ name: String) -> SystemUser? {
    guard let entry = unsafe getpwnam(name) else { return nil }
    return unsafe SystemUser(userID: entry.pointee.pw_uid, groupID: entry.pointee.pw_gid)
  }
}
