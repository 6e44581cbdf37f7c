internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient
internal import StandardStreams
internal import VisibleText

/// A user on the command line: the id, or the label that administrators know the user by.
enum UserArgument: ExpressibleByArgument, Equatable {
  case id(UUID)
  case label(String)

  /// Parses a user; `nil` for a text that is empty, looks like an option, or has hidden characters.
  init?(argument: String) {
    if let id = UUID(wireText: argument) {
      self = .id(id)
    } else if !argument.isEmpty, !argument.hasPrefix("-"), argument.visible() == argument {
      self = .label(argument)
    } else {
      return nil
    }
  }

  /// Returns the id, for which the server is asked if a label was given.
  ///
  /// - Throws: `CommandError` if no user has the label, or several have; the error of the call.
  func id(_ client: MockupClient) async throws -> UUID {
    switch self {
    case .id(let id): return id
    case .label(let label):
      let users = try await client.admin.users(labelled: label)
      guard let user = users.first else {
        throw CommandError(
          "no user has the id or the label \"\(label)\"", exitCode: StatusCode.notFound.exitCode)
      }
      guard users.count == 1 else {
        throw CommandError(
          lines: ["several users have the label \"\(label)\"; give the id of one:"]
            + users.map { "  \($0.wireText)" },
          exitCode: CommandError.usage)
      }
      return user
    }
  }
}
