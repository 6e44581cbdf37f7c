internal import Glibc

/// Functions for the descriptors 0, 1 and 2 of this process.
public enum StandardDescriptors {
  /// Opens `/dev/null` for each standard descriptor that is closed.
  ///
  /// Otherwise the next file or socket would get its number and receive the program's output or
  /// log. Standard input is opened for writing and the others for reading, so that using them fails
  /// as with a closed descriptor. Call it before the program opens anything.
  public static func openClosedOnes() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      // open() returns the lowest free number, which is the closed descriptor.
      _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Ignores SIGPIPE, so that writing to a closed pipe returns an error instead of ending the
  /// process.
  public static func ignoreBrokenPipes() {
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// Writes all bytes, and blocks until the reader has accepted them.
  ///
  /// - Returns: The system's error number, or nil if all bytes are written.
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if errno == EAGAIN {
        // Another process that shares the descriptor has made it non-blocking.
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe Glibc.poll(&poll, 1, -1)
      } else if errno != EINTR {
        return errno
      }
    }
    return nil
  }
}
