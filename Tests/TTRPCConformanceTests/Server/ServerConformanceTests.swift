import Testing

/// Holds a ttrpc server against the protocol, in bytes. What is sent and read is encoded by this suite's
/// own code, so that a mistake of the library's cannot hide behind itself.
///
/// Without more, the server is ours, one for each case, in this process. Any other that implements the
/// service of `Proto/service.proto` is tested like this:
///
///     TTRPC_CONFORMANCE_SOCKET=/run/other.sock TTRPC_CONFORMANCE_PROFILE=go \
///       swift test --disable-xctest --filter ServerConformanceTests
///
/// The profile says what the server has. Cases that need more are not run.
///
/// | profile | has |
/// |---|---|
/// | `full` (also where none is given) | all that ours has |
/// | `go` | streams, but no Cancel, no deadlines that the server keeps, no limits, no answer to a half-closed client |
/// | `go-unary` | unary calls alone, as containerd's ttrpc before 1.2 |
///
/// Cases that need limits of their own, or a look into the server, run against ours alone.
/// `Tests/Interop/go/conformance` is such a server, with containerd's library.
@Suite(.serialized, .timeLimit(.minutes(15))) struct ServerConformanceTests {
  private static let cases = [
    ServerCase.recorded, ServerCase.mistakes, ServerCase.shapes, ServerCase.ends,
    ServerCase.streams, ServerCase.framing, ServerCase.beside, ServerCase.defects,
  ].flatMap { $0 }.filter { Profile.current.capabilities.isSuperset(of: $0.needs) }

  @Test(arguments: cases) func theServerOwes(_ serverCase: ServerCase) async throws {
    try await Target.with(serverCase.limits, serverCase.run)
  }
}
