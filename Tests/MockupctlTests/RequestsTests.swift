import DynamicMessages
import ProtobufC
import StandardStreams
import TTRPCServices
import Testing

@testable import mockupctl

/// JSON in pieces, read as requests of `grpc.health.v1.HealthCheckRequest`, which has one field.
@Suite struct RequestsTests {
  private static func type() throws -> MessageType {
    try Schema(fileDescriptorSet: TTRPCServicesDescriptors.fileDescriptorSet)
      .message("grpc.health.v1.HealthCheckRequest")
  }

  private static func pieces(_ texts: [String]) -> AsyncStream<[UInt8]> {
    AsyncStream { stream in
      for text in texts { stream.yield(Array(text.utf8)) }
      stream.finish()
    }
  }

  @Test(arguments: [
    ([], []),
    (["", "\n"], []),
    ([#"{"service":"a"}"#], ["a"]),
    ([#"{"serv"#, #"ice":"a"}{"service":"b"#, "\"}\n{}"], ["a", "b", ""]),
  ])
  func `requests are read however the input is split`(_ texts: [String], _ services: [String])
    async throws
  {
    var received: [String] = []
    for try await request in Requests(type: try Self.type(), pieces: Self.pieces(texts)) {
      received.append(try HealthCheckRequest(serialized: request).service)
    }
    #expect(received == services)
  }

  @Test func `a request is returned before the next piece arrives`() async throws {
    let (pieces, source) = AsyncStream<[UInt8]>.makeStream()
    var requests = Requests(type: try Self.type(), pieces: pieces).makeAsyncIterator()
    source.yield(Array(#"{"service":"a"} {"#.utf8))
    let first = try await requests.next()
    #expect(first == HealthCheckRequest(service: "a").serialized())
    source.yield(Array("}".utf8))
    source.finish()
    let second = try await requests.next()
    #expect(second == [])
    let end = try await requests.next()
    #expect(end == nil)
  }

  @Test(arguments: [
    (
      #"{"service":1}"#, "request 1: service: a number is no string"
    ),
    (
      #"{} {"servise":"a"}"#,
      "request 2: servise: grpc.health.v1.HealthCheckRequest has no such field; "
        + "did you mean service?"
    ),
    ("{}\n{]", "request 2: line 2, column 2: a member's name is expected"),
    ("{}{}{", "request 3: line 1, column 6: a member's name is expected"),
  ])
  func `the error for an invalid request names its number`(_ text: String, _ line: String)
    async throws
  {
    let requests = Requests(type: try Self.type(), pieces: Self.pieces([text]))
    let commandError = await #expect(throws: CommandError.self) {
      for try await _ in requests {}
    }
    #expect(commandError == CommandError(line, exitCode: 64))
  }

  @Test func `each argument is one request`() throws {
    let type = try Self.type()
    #expect(
      try type.requests(from: [#"{"service":"a"}"#, " {} "])
        == [HealthCheckRequest(service: "a").serialized(), []])
    let commandError = #expect(throws: CommandError.self) {
      try type.requests(from: ["{}", "{}{}"])
    }
    #expect(
      commandError
        == CommandError(
          "request 2: line 1, column 3: there is something behind the value", exitCode: 64))
  }
}
