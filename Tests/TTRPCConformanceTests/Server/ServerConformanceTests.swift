import Testing

/// Tests a ttrpc server against the protocol, byte by byte.
///
/// The suite encodes and decodes frames with its own code, so that a mistake in the library's code
/// cannot cancel itself out.
///
/// By default, each case runs against its own server of this library, in the test's process. To
/// test another server that implements the service of `Proto/service.proto`, run:
///
///     TTRPC_CONFORMANCE_SOCKET=/run/other.sock TTRPC_CONFORMANCE_PROFILE=go \
///       swift test --disable-xctest --filter ServerConformanceTests
///
/// The profile states which features the server has. Cases that need other features are skipped.
///
/// | profile | features |
/// |---|---|
/// | `full` (default) | all features of this library's server |
/// | `go` | streams; no Cancel, deadlines, limits or answers to a half-closed client |
/// | `go-unary` | unary calls only, as in containerd's ttrpc before 1.2 |
///
/// Cases that set limits or read the server's load run only against this library's server.
/// `Tests/Harnesses/Interop/go/conformance` is a server for this suite with containerd's library.
@Suite(.serialized, .timeLimit(.minutes(15))) struct ServerConformanceTests {
  private static let cases = [
    ServerCase.recorded, ServerCase.mistakes, ServerCase.shapes, ServerCase.ends,
    ServerCase.streams, ServerCase.framing, ServerCase.requests, ServerCase.defects,
  ].flatMap { $0 }.filter { Profile.current.capabilities.isSuperset(of: $0.needs) }

  @Test(arguments: cases) func `the server conforms to the protocol`(_ serverCase: ServerCase)
    async throws
  {
    try await Target.with(serverCase.limits, serverCase.run)
  }
}
