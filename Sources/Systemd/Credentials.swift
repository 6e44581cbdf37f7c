internal import Foundation
internal import Glibc

/// The credentials that the service manager passes: files in `$CREDENTIALS_DIRECTORY`.
///
/// Only the service's user can read them, and unlike environment variables they are not inherited
/// by other programs. Source: systemd.exec(5), "Credentials".
public struct Credentials: Sendable {
  /// The absolute path of the directory; nil if the manager passes no credentials.
  private let directory: String?

  /// Creates the credentials of this process.
  ///
  /// - Throws: ``SystemdError`` if `CREDENTIALS_DIRECTORY` is not an absolute path.
  public init() throws(SystemdError) {
    try self.init(directory: ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"])
  }

  init(directory: String?) throws(SystemdError) {
    if let directory, !directory.hasPrefix("/") {
      throw .malformed("CREDENTIALS_DIRECTORY", directory, "not an absolute path")
    }
    self.directory = directory
  }

  /// Returns the text of a credential without the line breaks at its end.
  ///
  /// - Returns: The text; nil if there is no such credential.
  /// - Throws: ``SystemdError`` if the credential cannot be read, is not UTF-8 or has several
  ///   lines.
  public func text(named name: String) throws(SystemdError) -> String? {
    guard let directory else { return nil }
    let path = "\(directory)/\(name)"
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch CocoaError.fileReadNoSuchFile {
      return nil
    } catch {
      throw SystemdError(
        description: "cannot read the credential \(path): \(Self.reason(for: error))")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw SystemdError(description: "the credential \(path) is not UTF-8")
    }
    // A carriage return before a line feed is one character with it.
    let line = text.prefix { !$0.isNewline }
    guard text[line.endIndex...].allSatisfy(\.isNewline) else {
      throw SystemdError(description: "the credential \(path) has more than one line")
    }
    return String(line)
  }

  /// Returns the system's text for an error, if there is one: Foundation's has only a number.
  private static func reason(for error: any Error) -> String {
    guard let reason = (error as? CocoaError)?.underlying as? POSIXError else {
      return error.localizedDescription
    }
    return unsafe String(cString: strerror(reason.code.rawValue))
  }
}
