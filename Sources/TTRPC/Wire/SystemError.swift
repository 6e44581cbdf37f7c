internal import Glibc

/// The number of the system's last error on this thread.
var lastSystemError: Int32 { errno }

/// What the system says about one of its error numbers: the last one, if none is given.
func systemErrorText(_ number: Int32 = lastSystemError) -> String {
  unsafe String(cString: strerror(number))
}
