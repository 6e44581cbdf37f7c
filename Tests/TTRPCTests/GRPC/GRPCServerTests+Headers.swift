import Testing

@testable import GRPC
@testable import TTRPC

// Header lists of requests and responses.

extension GRPCServerTests {
  @Test func `metadata of a response may have no names of HTTP and of gRPC`() {
    let metadata: Metadata = [
      ("x-request", "1"), ("x-request", " 2\t"), ("trace-bin", "q6s="), ("empty", ""),
      (":status", "500"), ("grpc-status", "0"), ("content-type", "text/html"),
      ("content-length", "1"), ("connection", "close"), ("two words", "1"), ("", "1"),
      ("line", "1\n2"), ("nul", "\0"),
    ].reduce(into: Metadata()) { $0.append($1.1, for: $1.0) }
    let headers = GRPCResponse.headers(of: metadata).map { "\($0.name): \($0.value)" }
    #expect(headers == ["x-request: 1", "x-request:  2\t", "trace-bin: q6s=", "empty: "])
  }

  @Test func `a message is percent-encoded`() {
    #expect(GRPCResponse.percentEncoded("50% of é\n") == "50%25 of %C3%A9%0A")
    #expect(GRPCResponse.percentEncoded("plain text ~") == "plain text ~")
    #expect(GRPCResponse.percentEncoded(" a b ") == "%20a b%20")
    #expect(GRPCResponse.percentEncoded("abcdé", limit: 6) == "abcd")
    #expect(GRPCResponse.percentEncoded("") == "")
  }

  @Test(arguments: [
    ("1H", Duration.seconds(3600)), ("2M", .seconds(120)), ("99999999S", .seconds(99_999_999)),
    ("5m", .milliseconds(5)), ("6u", .microseconds(6)), ("7n", .nanoseconds(7)), ("0S", .zero),
  ])
  func `a timeout is a number and a unit`(_ text: String, _ timeout: Duration) {
    #expect(Self.parsedTimeout(text) == timeout)
  }

  private static func parsedTimeout(_ text: String) -> Duration? {
    unsafe Array(text.utf8).withUnsafeBytes { unsafe GRPCRequestHead.timeout($0) }
  }

  @Test(arguments: ["", "S", "1", "123456789S", "-1S", "+1S", "1.5S", "1s", "1 S", "١S"])
  func `an invalid timeout is refused`(_ text: String) async throws {
    #expect(Self.parsedTimeout(text) == nil)
    try await Self.withPeer { peer, _, _ in
      guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return }
      let (_, trailers) = try await peer.call("/p/Echo", [], [("grpc-timeout", text)])
      #expect(trailers["grpc-status"] == "3")
    }
  }

  @Test func `fields that a client library adds are not metadata`() throws {
    let head = Self.head([
      (":method", "POST"), (":path", "/p/Echo"), ("content-type", "application/grpc"),
      ("te", "trailers"), ("user-agent", "grpc-c/1"), ("accept-encoding", "gzip"),
      ("grpc-accept-encoding", "gzip"), ("k", "v"),
    ])
    let call = try head.call()
    #expect(call.metadata == ["k": "v"])
    #expect(call.method.isKnown)
  }

  @Test func `of several headers with a name the first one counts`() throws {
    let head = Self.head([
      (":method", "POST"), (":path", "/p/Echo"), (":path", "/p/Now"),
      ("content-type", "application/grpc;x"), ("content-type", "text/plain"),
      ("grpc-timeout", "1S"), ("grpc-timeout", "x"), ("grpc-encoding", "gzip"),
      ("grpc-encoding", "x"),
    ])
    let call = try head.call()
    #expect(call.method.descriptor.name == "Echo")
    #expect(call.timeout == .seconds(1))
    #expect(call.encoding == .gzip)
  }

  private static func head(_ headers: [(String, String)]) -> GRPCRequestHead {
    let head = GRPCRequestHead(
      MethodTable([TestService()], interceptors: ServerInterceptorChain([])))
    for (name, value) in headers {
      unsafe Array(name.utf8).withUnsafeBytes { name in
        unsafe Array(value.utf8).withUnsafeBytes { unsafe head.add(name: name, value: $0) }
      }
    }
    return head
  }
}
