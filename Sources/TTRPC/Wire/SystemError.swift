internal import Glibc

/// The value of `errno` on this thread.
var lastSystemError: Int32 { errno }

/// Returns the system's text for an error number, by default for `errno`.
func systemErrorText(_ number: Int32 = lastSystemError) -> String {
  unsafe String(cString: strerror(number))
}
