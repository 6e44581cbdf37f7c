internal import Foundation

/// A peer that connects to a Unix socket as another user, in a separate process; only root can
/// start it.
public enum ForeignPeer {
  /// Connects, sends bytes, and returns the bytes that it receives until the server closes the
  /// connection, for at most ``testTimeout``.
  ///
  /// - Parameter streams: The number of streams that must have received a frame before the peer
  ///   stops reading; `nil` to read until the server closes the connection.
  public static func exchange(
    as identity: Program.Identity, at socket: String, _ bytes: [UInt8], streams: Int? = nil
  ) async throws -> [UInt8] {
    // Perl is part of every Debian system.
    let script = #"""
      use Socket;
      my ($path, $hex, $streams) = @ARGV;
      alarm 600;
      socket(my $peer, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
      connect($peer, sockaddr_un($path)) or die "connect: $!";
      syswrite($peer, pack("H*", $hex)) == length($hex) / 2 or die "write: $!";
      my $received = "";
      my $start = 0;
      my %answered;
      while (keys(%answered) != $streams && sysread($peer, $received, 65536, length $received)) {
        while (length($received) - $start >= 10) {
          my $length = 10 + unpack("N", substr($received, $start, 4));
          last if $streams < 0 || length($received) - $start < $length;
          $answered{unpack("N", substr($received, $start + 4, 4))} = 1;
          $start += $length;
        }
      }
      print unpack("H*", $received);
      """#
    let hex = bytes.map { String(format: "%02x", $0) }.joined()
    let ending = try await withTemporaryFolder { folder in
      try await RunningProgram(
        URL(filePath: "/usr/bin/setpriv"),
        identity.flags + ["/usr/bin/perl", "-e", script, socket, hex, "\(streams ?? -1)"],
        environment: [:], folder: URL(filePath: folder)
      ).ending()
    }
    guard ending.exitCode == 0 else { throw Program.Failure(description: "\(ending)") }
    let digits = Array(ending.output.utf8)
    return stride(from: 0, to: digits.count - 1, by: 2).compactMap { index in
      UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16)
    }
  }
}
