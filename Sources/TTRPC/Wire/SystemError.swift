internal import Glibc
internal import NIOCore

/// The value of `errno` on this thread.
var lastSystemError: Int32 { errno }

/// Returns the system's text for an error number, by default for `errno`.
func systemErrorText(_ number: Int32 = lastSystemError) -> String {
  unsafe String(cString: strerror(number))
}

/// Returns the text of an error of a socket or a channel, for a log or a person.
///
/// An `IOError` describes itself with the signature of a function of NIO, as in
/// `read(descriptor:pointer:size:): Connection reset by peer) (errno: 104)`. Its text here is
/// `read: Connection reset by peer`.
package func plainText(of error: any Error) -> String {
  guard let error = error as? IOError else { return "\(error)" }
  let reason = systemErrorText(error.errnoCode)
  let description = error.description
  let call = description.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
  // Other reasons than a system call are phrases, such as "connection reset (error set)".
  let isCall = description.dropFirst(call.count).first.map { "(:".contains($0) } ?? false
  return isCall && !call.isEmpty ? "\(call): \(reason)" : reason
}
