/// An error that decides the exit code of the program that it ends.
///
/// Its message is written like that of any other error; ``CommandError`` also has its own message.
public protocol ErrorWithExitCode: Error {
  /// The status with which the process exits.
  var exitCode: Int32 { get }
}
