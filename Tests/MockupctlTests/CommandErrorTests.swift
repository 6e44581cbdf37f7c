import DynamicMessages
import ProtobufC
import StandardStreams
import TTRPC
import TTRPCServices
import Testing

@testable import mockupctl

@Suite struct CommandErrorTests {
  @Test func `a status is shown with its details`() throws {
    let known = ErrorDetail.other(
      typeURL: "type.googleapis.com/grpc.health.v1.HealthCheckRequest",
      value: HealthCheckRequest(service: "a").serialized())
    let error = RPCError(
      code: .resourceExhausted, message: "too much",
      details: [
        .badRequest([
          FieldViolation(field: "a.b", description: "is long"),
          FieldViolation(field: "c", description: "is short"),
        ]),
        .retryInfo(after: .milliseconds(1500)), known, .other(typeURL: "x/y.Z", value: [1, 2]),
      ])
    let schema = try Schema(fileDescriptorSet: TTRPCServicesDescriptors.fileDescriptorSet)
    let commandError = CommandError(error, schema: schema)
    #expect(commandError.exitCode == 75)
    #expect(
      commandError.lines == [
        "RESOURCE_EXHAUSTED: too much", "  a.b: is long", "  c: is short",
        "  retry after 1.5 seconds",
        #"  type.googleapis.com/grpc.health.v1.HealthCheckRequest: {"service":"a"}"#,
        "  x/y.Z: 2 bytes",
      ])
    #expect(
      CommandError(error).lines.dropFirst(4).first
        == "  type.googleapis.com/grpc.health.v1.HealthCheckRequest: 3 bytes")
  }

  @Test func `control characters in a message from a peer are escaped`() {
    let error = RPCError(code: .aborted, message: "red \u{1b}[31m\nand\u{9b} more\u{7f}")
    #expect(CommandError(error).lines == [#"ABORTED: red \u{1b}[31m\nand\u{9b} more\u{7f}"#])
  }

  @Test(arguments: [
    ("key=value", "key", "value"), ("key=", "key", ""), ("a=b=c", "a", "b=c"),
  ])
  func `a metadata argument is a key and a value`(_ text: String, _ key: String, _ value: String)
    throws
  {
    let pair = try #require(MetadataPair(argument: text))
    #expect(pair.key == key)
    #expect(pair.value == value)
  }

  @Test(arguments: ["", "key", "=value", "="])
  func `a metadata argument without a key is refused`(_ text: String) {
    #expect(MetadataPair(argument: text) == nil)
  }

  @Test func `a number of seconds must be positive and at most a day`() {
    #expect(Seconds(argument: "0.25")?.duration == .milliseconds(250))
    #expect(Seconds(argument: "86400")?.duration == .seconds(86_400))
    for text in ["0", "-1", "86400.1", "nan", "inf", "1s", ""] {
      #expect(Seconds(argument: text) == nil, "\(text)")
    }
    #expect(Seconds.forOneAnswer.description == "10")
  }
}
