/// An error that decides the exit code of the program that it ends.
///
/// The argument parser writes the error's description. To state the lines to write as well, throw
/// ``CommandError``.
public protocol ErrorWithExitCode: Error {
  /// The status with which the process exits.
  var exitCode: Int32 { get }
}
