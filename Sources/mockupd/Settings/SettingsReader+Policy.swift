internal import MockupServices

extension SettingsReader {
  /// Reads the access policy, which is the default policy if no `policy` setting is given.
  ///
  /// - Parameter serverUserID: The uid of the server, which is an admin in the default policy.
  func policy(serverUserID: UInt32) async throws -> AccessPolicy {
    var grants: [Role: Set<AccessPolicy.Principal>] = [:]
    for (role, key) in SettingKey.policies {
      guard let words = try await words(key) else { continue }
      guard !words.isEmpty else { throw SettingError(key, "has no users or groups") }
      for word in words { grants[role, default: []].insert(try await principal(word, key)) }
    }
    return grants.isEmpty ? .standard(serverUserID: serverUserID) : AccessPolicy(grants)
  }

  /// Converts a word such as `group:www` to a principal.
  private func principal(
    _ word: String, _ key: SettingKey
  ) async throws -> AccessPolicy.Principal {
    let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let kind = parts.first, parts.count == 2, let name = parts.last.map(String.init),
      !name.isEmpty
    else { throw SettingError(key, "has \"\(word)\", \(Self.principalForms)") }
    do {
      switch kind {
      case "uid": if let id = Self.id(name) { return .user(id: id) }
      case "gid": if let id = Self.id(name) { return .group(id: id) }
      case "user":
        guard let id = try await Accounts.userID(named: name) else {
          throw SettingError(key, "has \"\(word)\", which is not a user on this system")
        }
        return .user(id: id)
      case "group":
        guard let id = try await Accounts.groupID(named: name) else {
          throw SettingError(key, "has \"\(word)\", which is not a group on this system")
        }
        return .group(id: id)
      default: break
      }
    } catch let error as Accounts.Failure {
      throw SettingError(key, word, error)
    }
    throw SettingError(key, "has \"\(word)\", \(Self.principalForms)")
  }

  private static let principalForms = "which is not user:NAME, uid:N, group:NAME or gid:N"

  /// Parses a uid or gid; the largest number is refused, because the kernel uses it for "no id".
  static func id(_ text: String) -> UInt32? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    return UInt32(text).flatMap { $0 == .max ? nil : $0 }
  }
}

extension SettingKey {
  /// The settings that list the principals of each role.
  static let policies: [(role: Role, key: SettingKey)] = [
    (.admin, .policyAdmin), (.service, .policyService), (.worker, .policyWorker),
    (.scheduler, .policyScheduler), (.reader, .policyReader), (.monitor, .policyMonitor),
  ]

  /// True if the file may give the value as a list of texts.
  var takesList: Bool {
    if case .principals = definition.values { true } else { false }
  }
}
