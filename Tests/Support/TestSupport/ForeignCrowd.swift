internal import Foundation

/// Many connections of another user to a Unix socket.
///
/// A separate process opens them, sends the same bytes on each, and keeps them open. Only root can
/// start it.
public struct ForeignCrowd: Sendable {
  private let process: RunningProgram
  /// The number of connections that the server kept open after its responses.
  public let connections: Int

  /// Opens connections and waits for the server's frames on each.
  ///
  /// - Parameter streams: The number of streams of each connection that must receive a frame,
  ///   unless the server closes the connection.
  public static func gather(
    _ count: Int, as identity: Program.Identity, at socket: String, _ bytes: [UInt8], streams: Int,
    folder: String
  ) async throws -> ForeignCrowd {
    let script = #"""
      use Socket;
      my ($path, $hex, $count, $streams) = @ARGV;
      my $bytes = pack("H*", $hex);
      $SIG{PIPE} = "IGNORE";
      my @peers;
      for (1 .. $count) {
        socket(my $peer, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
        connect($peer, sockaddr_un($path)) or die "connect: $!";
        my $sent = 0;
        while ($sent < length $bytes) {
          my $written = syswrite($peer, $bytes, length($bytes) - $sent, $sent);
          last unless $written;
          $sent += $written;
        }
        push @peers, $peer;
      }
      my @open;
      for my $peer (@peers) {
        my ($received, $start, %answered) = ("", 0);
        my $closed = 0;
        until ($closed || keys(%answered) == $streams) {
          $closed = !sysread($peer, $received, 65536, length $received);
          while (length($received) - $start >= 10) {
            my $length = 10 + unpack("N", substr($received, $start, 4));
            last if length($received) - $start < $length;
            $answered{unpack("N", substr($received, $start + 4, 4))} = 1;
            $start += $length;
          }
        }
        push @open, $peer unless $closed;
      }
      $| = 1;
      print scalar(@open), "\n";
      sleep 600;
      """#
    let hex = bytes.map { String(format: "%02x", $0) }.joined()
    let process = try RunningProgram(
      URL(filePath: "/usr/bin/setpriv"),
      identity.flags + ["/usr/bin/perl", "-e", script, socket, hex, "\(count)", "\(streams)"],
      environment: [:], folder: URL(filePath: folder))
    var connections: Int?
    try await eventually("the server responds on all connections") {
      let output = process.output
      if output.hasSuffix("\n") { connections = Int(output.dropLast()) }
      if let ending = process.knownEnding { throw Program.Failure(description: "\(ending)") }
      return connections != nil
    }
    return ForeignCrowd(process: process, connections: connections ?? 0)
  }

  /// Closes all connections.
  public func leave() async {
    process.signal(SIGKILL)
    _ = await process.ending()
  }
}
