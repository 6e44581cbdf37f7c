internal import Glibc

/// The descriptors 0, 1 and 2 of this process.
public enum StandardDescriptors {
  /// Opens `/dev/null` for each of the three that is closed, so that no file or socket gets its number
  /// and then receives what is meant for a reader of output or of the log.
  ///
  /// Each is opened the wrong way round: reading and writing fail, as they do with a closed descriptor.
  /// To be called before the program opens anything.
  public static func openClosedOnes() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      // The lowest free number is the one that is closed.
      _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Has writing to a reader that has gone fail, instead of ending the process.
  public static func ignoreBrokenPipes() {
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// Writes all of some bytes, waiting for the reader as long as it takes.
  ///
  /// - Returns: The system's number for what went wrong; `nil` where nothing did.
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if errno == EAGAIN {
        // Whoever shares the descriptor has made it non-blocking.
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe Glibc.poll(&poll, 1, -1)
      } else if errno != EINTR {
        return errno
      }
    }
    return nil
  }
}
