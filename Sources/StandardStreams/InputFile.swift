public import Foundation
internal import Glibc

/// Returns the system's text for an error of Foundation's file functions, such as
/// "No such file or directory".
///
/// Foundation's own text names a number for most errors of the system.
public func plainText(ofFileError error: any Error) -> String {
  guard let reason = (error as? CocoaError)?.underlying as? POSIXError else {
    return error.localizedDescription
  }
  return unsafe String(cString: strerror(reason.code.rawValue))
}

/// A file that a person names for a program to read, such as one with settings.
public enum InputFile {
  /// The reason why a file cannot be read.
  public struct Failure: Error, CustomStringConvertible {
    /// The message, which names the file.
    public let description: String
  }

  /// Reads a file.
  ///
  /// Only regular files are read: Foundation refuses others, such as pipes, with an error about
  /// permissions.
  ///
  /// - Throws: ``Failure``.
  public static func read(_ path: String) throws(Failure) -> Data {
    var status = stat()
    if unsafe stat(path, &status) == 0, ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) {
      throw Failure(description: "cannot read \(path): not a regular file")
    }
    do {
      return try Data(contentsOf: URL(filePath: path))
    } catch {
      throw Failure(description: "cannot read \(path): \(plainText(ofFileError: error))")
    }
  }

  /// Reads the lines of a file of text, without their line feeds and carriage returns.
  ///
  /// - Throws: ``Failure``.
  public static func lines(_ path: String) throws(Failure) -> [Substring] {
    guard let text = String(data: try read(path), encoding: .utf8) else {
      throw Failure(description: "\(path) is not UTF-8")
    }
    return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
  }
}
